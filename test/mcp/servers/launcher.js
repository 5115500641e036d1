// Starts the server as a child that shares its streams, as npx and shells do. SIGTERM ends only the launcher.
import { setInterval } from 'node:timers';
import { spawn } from 'node:child_process';

spawn(process.execPath, process.argv.slice(2), { stdio: 'inherit' });
setInterval(() => undefined, 1_000);
