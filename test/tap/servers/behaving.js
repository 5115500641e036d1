// Child process with the behavior named by its first argument. Reports go to standard error.
import { Buffer } from 'node:buffer';
import { closeSync } from 'node:fs';
import { setImmediate } from 'node:timers';

const [behavior, ...rest] = process.argv.slice(2);
/** Time in milliseconds that exceeds the duration of any test on a slow machine. */
const LONG_MS = 1_200_000;
const report = (text) => process.stderr.write(`${text}\n`);

const BEHAVIORS = {
  /** Echoes its input, writes `goodbye` at the end of its input and exits with the given code. */
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
  /** Prints each signal and ends with the signal in its last argument. */
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
  /** Writes until the reader closes the pipe. */
  writes() {
    process.stdout.on('error', ({ code }) => {
      report(code);
      process.exit(8);
    });
    const write = () => process.stdout.write('x'.repeat(10_000), () => setImmediate(write));
    write();
  },
  /** Writes the given number of bytes. Reports the number written so far whenever it is blocked for 300 ms. */
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
  /** Reads nothing until SIGUSR2, then reads all input and reports its length. */
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
  /** Exits while a silent child process holds its output open. */
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

await BEHAVIORS[behavior]();
