import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { type FileStats, isForeign, toFileStats } from './find-files.js';

/** File that is open for reading. The opened file cannot be exchanged between check and use. */
export interface OpenFile {
  readonly handle: FileHandle;
  readonly stats: FileStats;
}

/**
 * Opens a regular file of this user for reading, and runs `use`.
 * @returns null if the file is no regular file or belongs to another user
 * @throws the error of the system
 */
export async function withOpenFile<T>(path: string, use: (file: OpenFile) => Promise<T>): Promise<T | null> {
  // Opening a pipe without a writer would wait forever.
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stats = await handle.stat();
    if (!stats.isFile() || isForeign(stats)) return null;
    return await use({ handle, stats: toFileStats(stats) });
  } finally {
    await handle.close();
  }
}

/** Reads at most `length` bytes from a position. Returns fewer if the file ends before. The result shares no memory with others. */
export async function readBytes(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  // A few bytes of Node's common pool would keep 8 KB of it in memory.
  const buffer = Buffer.allocUnsafeSlow(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await handle.read(buffer, filled, length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}

/** Copies bytes into memory of their own, because a part of a buffer keeps all of it. */
export function copyBytes(bytes: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  bytes.copy(copy);
  return copy;
}
