// Ignores the end of its input and SIGTERM.
import { setInterval } from 'node:timers';
import { serve, text, tools } from './serve.js';

process.on('SIGTERM', () => undefined);
setInterval(() => undefined, 1_000);
serve(tools({ pid: () => text(process.pid) }));
