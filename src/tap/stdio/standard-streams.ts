import { closeSync, fstatSync, openSync } from 'node:fs';
import { Socket } from 'node:net';
import { devNull } from 'node:os';
import type { Readable, Writable } from 'node:stream';

const STDIN = 0;
const STDOUT = 1;

/** Output of a tap. */
export interface StdoutStream {
  readonly stream: Writable;
  /** Whether the stream closes after `end()`. */
  readonly closes: boolean;
}

/**
 * Opens the standard output as a stream whose end reaches its reader, unlike `process.stdout`. `process.stdout` must not
 * be used afterwards, because it would open the same descriptor.
 */
export function openStdout(): StdoutStream {
  if (!isPipe(STDOUT)) return { stream: process.stdout, closes: false };
  const stream = new Socket({ fd: STDOUT, readable: false, writable: true });
  stream.once('close', () => release(STDOUT));
  return { stream, closes: true };
}

/** Closes the descriptor of the standard input with its stream, so that the writer notices. */
export function closeStdinDescriptorWith(stdin: Readable): void {
  if (isPipe(STDIN)) stdin.once('close', () => release(STDIN));
}

function isPipe(descriptor: number): boolean {
  const stats = fstatSync(descriptor);
  return stats.isFIFO() || stats.isSocket();
}

/**
 * Closes the descriptor of a standard stream, which libuv leaves open. Reopens its number on the null device, so that no
 * other file gets it.
 */
function release(descriptor: number): void {
  closeSync(descriptor);
  openSync(devNull, 'r+');
}
