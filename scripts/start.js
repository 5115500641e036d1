// Runs `npm start`: builds what has changed, then runs `swarmlens serve` in this process, so that signals reach the server.
// Usage: node scripts/start.js [OPTIONS OF swarmlens serve]
import { fileURLToPath } from 'node:url';
import { build } from './build.js';

const PARENT_CHECK_MS = 1_000;

await build();
process.stderr.write('Starting swarmlens …\n');

// npm passes on SIGTERM and SIGINT. If it is killed, the server must not stay behind.
if (process.env.npm_lifecycle_event === 'start') {
  const parent = process.ppid;
  const checkParent = () => {
    if (process.ppid === parent) setTimeout(checkParent, PARENT_CHECK_MS).unref();
    else process.kill(process.pid, 'SIGTERM');
  };
  checkParent();
}

const program = fileURLToPath(new URL('../dist/main.js', import.meta.url));
process.argv.splice(1, process.argv.length - 1, program, 'serve', ...process.argv.slice(2));
await import('../dist/main.js');
