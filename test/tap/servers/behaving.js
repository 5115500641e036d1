// One child process that behaves as its first argument says; what it has to report goes to standard error.
import { Buffer } from 'node:buffer';
import { closeSync } from 'node:fs';
import { setImmediate } from 'node:timers';

const [behaviour, ...rest] = process.argv.slice(2);
/** Longer than any test takes on a slow machine; not for ever. */
const LONG_MS = 1_200_000;
const report = (text) => process.stderr.write(`${text}\n`);

const BEHAVIOURS = {
  /** Gives back what it gets, says goodbye when there is no more, and ends with a code. */
  echo() {
    process.stdin.on('data', (chunk) => process.stdout.write(chunk));
    process.stdin.on('end', () => process.stdout.write('goodbye', () => process.exit(Number(rest[0] ?? 0))));
  },
  exit() {
    process.exit(Number(rest[0]));
  },
  kill() {
    process.kill(process.pid, rest[0]);
    setTimeout(() => undefined, LONG_MS);
  },
  /** Tells of each signal, and ends by the last one of its arguments. */
  signals() {
    for (const signal of rest) {
      process.on(signal, () => {
        process.stdout.write(`${signal}\n`);
        if (signal !== rest.at(-1)) return;
        process.removeAllListeners(signal);
        process.kill(process.pid, signal);
      });
    }
    setTimeout(() => undefined, LONG_MS);
    process.stdout.write('ready\n');
  },
  closesOutput() {
    process.stdin.on('data', (chunk) => report(`got ${chunk}`)).on('end', () => process.exit(6));
    process.stdout.write('last', () => closeSync(1));
  },
  closesInput() {
    closeSync(0);
    setTimeout(() => undefined, LONG_MS);
    process.stdout.write(`closed ${process.pid}\n`);
  },
  /** Writes until nobody reads. */
  writes() {
    process.stdout.on('error', ({ code }) => {
      report(code);
      process.exit(8);
    });
    const write = () => process.stdout.write('x'.repeat(10_000), () => setImmediate(write));
    write();
  },
  /** Writes so many bytes; tells how many when it is held up, goes on when it is not, and is done when all are written. */
  floods() {
    const total = Number(rest[0]);
    const chunk = Buffer.alloc(65_536, `${'x'.repeat(1_023)}\n`);
    let written = 0;
    let stuck;
    const write = () => {
      clearTimeout(stuck);
      while (written < total) {
        written += chunk.length;
        if (process.stdout.write(chunk)) continue;
        stuck = setTimeout(() => report(`stuck ${written - process.stdout.writableLength} in ${process.pid}`), 300);
        process.stdout.once('drain', write);
        return;
      }
      report(`done ${written}`);
    };
    write();
  },
  /** Reads nothing until it is told to, by a signal; then tells how much there was. */
  waits() {
    let read = 0;
    process.once('SIGUSR2', () => {
      process.stdin
        .on('data', (chunk) => (read += chunk.length))
        .on('end', () => {
          report(`read ${read}`);
          process.exit(0);
        });
    });
    setTimeout(() => undefined, LONG_MS);
    report(`ready ${process.pid}`);
  },
  environment() {
    process.stdout.write(JSON.stringify({ cwd: process.cwd(), env: process.env, args: rest }));
  },
  /** Leaves its output to another process, which is silent. */
  async leaves() {
    const { spawn } = await import('node:child_process');
    const other = spawn(process.execPath, ['-e', `setTimeout(() => {}, ${LONG_MS})`], {
      stdio: ['ignore', 'inherit', 'ignore'],
    });
    other.unref();
    report(`other ${other.pid}`);
    process.stdout.write('mine', () => process.exit(3));
  },
};

await BEHAVIOURS[behaviour]();
