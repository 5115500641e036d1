// As npx and shells do: the server is a child that shares this one's streams. Ends at SIGTERM and leaves it behind.
import { setInterval } from 'node:timers';
import { spawn } from 'node:child_process';

spawn(process.execPath, process.argv.slice(2), { stdio: 'inherit' });
setInterval(() => undefined, 1_000);
