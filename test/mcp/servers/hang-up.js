// Closes its standard output and stays.
import { setInterval } from 'node:timers';
import { closeSync } from 'node:fs';
import { serve, tools } from './serve.js';

setInterval(() => undefined, 1_000);
serve(tools({ 'hang up': () => void closeSync(1) }));
