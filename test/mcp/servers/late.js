// Writes progress to standard error before it serves: the given number of lines, or lines without end.
import { clearInterval, setInterval } from 'node:timers';
import { serve, text, tools } from './serve.js';

const count = Number(process.argv[2]);
let lines = 0;
process.stdin.once('end', () => process.exit(0));
const timer = setInterval(() => {
  lines += 1;
  process.stderr.write(`installing ${lines}\n`);
  if (lines < count) return;
  clearInterval(timer);
  serve(tools({ late: () => text('started') }));
}, 1);
process.stdin.on('error', () => process.exit(0));
if (count === Infinity) process.stdin.resume();
