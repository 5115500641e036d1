import { closeSync, fstatSync, openSync } from 'node:fs';
import { Socket } from 'node:net';
import { devNull } from 'node:os';
import type { Readable, Writable } from 'node:stream';

const STDIN = 0;
const STDOUT = 1;

/** Standard output, which ends for its reader when it is ended; Node.js' own `process.stdout` does not. */
export function openStdout(): Writable {
  if (!isPipe(STDOUT)) return process.stdout;
  const output = new Socket({ fd: STDOUT, readable: false, writable: true });
  output.once('close', () => release(STDOUT));
  return output;
}

/** Lets who writes to our standard input know when it is no longer read. */
export function closeStdinWith(stdin: Readable): void {
  if (isPipe(STDIN)) stdin.once('close', () => release(STDIN));
}

function isPipe(descriptor: number): boolean {
  const kind = fstatSync(descriptor);
  return kind.isFIFO() || kind.isSocket();
}

/** libuv closes all descriptors but those of standard streams. The number is taken again at once, lest something else gets it. */
function release(descriptor: number): void {
  closeSync(descriptor);
  openSync(devNull, 'r+');
}
