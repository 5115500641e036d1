import { closeSync, fstatSync, openSync } from 'node:fs';
import { Socket } from 'node:net';
import { devNull } from 'node:os';
import type { Readable, Writable } from 'node:stream';

const STDIN = 0;
const STDOUT = 1;

/** Where a tap writes to. */
export interface StdoutStream {
  readonly stream: Writable;
  /** Whether the stream closes once it is ended. */
  readonly closes: boolean;
}

/**
 * Standard output, which ends for its reader when it is ended; Node.js' own `process.stdout` does not.
 * That must not be touched afterwards: it opens the descriptor, which fails while this is writing.
 */
export function openStdout(): StdoutStream {
  if (!isPipe(STDOUT)) return { stream: process.stdout, closes: false };
  const stream = new Socket({ fd: STDOUT, readable: false, writable: true });
  stream.once('close', () => release(STDOUT));
  return { stream, closes: true };
}

/** Lets who writes to our standard input know when it is no longer read. */
export function closeStdinDescriptorWith(stdin: Readable): void {
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
