import { createHash } from 'node:crypto';
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import { errorMessage, hasErrorCode, type Logger } from '../../shared/index.js';
import type { LogState } from '../source.js';
import type { FileStats } from './find-files.js';
import type { LogPosition } from './log-reading.js';
import { copyBytes, readBytes } from './open-file.js';

/** State of a log file that was read completely up to a position. */
export interface StoredLog {
  readonly state: LogState;
  readonly position: LogPosition;
  readonly stats: FileStats;
  readonly headMark: Buffer;
}

export interface StateIndexOptions {
  /** Path of the index. Null to store nothing. */
  readonly file: string | null;
  /** Identity of the reader. States of another one are not used. */
  readonly reader: string;
  readonly logger: Logger;
}

const CHECKSUM_BYTES = 32;
const LENGTH_BYTES = 4;
/** Number of bytes that are read and written at once, unless a frame is longer. */
const BATCH_BYTES = 256 * 1024;
const MAX_INDEX_BYTES = 512 * 1024 * 1024;

/**
 * States of log files that survive restarts, so that old files are not read again. The index is a cache: without it, or if it is
 * damaged, the files are read. It contains no texts that the observer does not show.
 */
export class StateIndex {
  readonly #options: StateIndexOptions;

  constructor(options: StateIndexOptions) {
    this.#options = options;
  }

  /** Loads the states by the paths of their files. Empty if there are none that can be used. */
  async load(): Promise<Map<string, StoredLog>> {
    const { file, reader, logger } = this.#options;
    if (file === null) return new Map();
    try {
      const handle = await open(file, 'r');
      try {
        const { size } = await handle.stat();
        if (size > MAX_INDEX_BYTES) throw new Error('it is too large');
        return await readFrames(handle, size, reader);
      } finally {
        await handle.close();
      }
    } catch (error) {
      if (!hasErrorCode(error, 'ENOENT')) {
        logger.warn({ file, error: errorMessage(error) }, 'the index cannot be used; all files are read again');
      }
      return new Map();
    }
  }

  /**
   * Replaces the index. Never leaves a half-written one.
   * @param states states by path, each of which is taken when it is written, because it may change before
   */
  async save(states: Iterable<readonly [path: string, state: StoredLog]>): Promise<void> {
    const { file, reader, logger } = this.#options;
    if (file === null) return;
    const draft = `${file}.${process.pid}`;
    try {
      await mkdir(dirname(file), { recursive: true, mode: 0o700 });
      const handle = await open(draft, 'w', 0o600);
      try {
        await writeFrames(handle, states, reader);
      } finally {
        await handle.close();
      }
      await rename(draft, file);
    } catch (error) {
      await rm(draft, { force: true });
      logger.warn({ file, error: errorMessage(error) }, 'the index cannot be written; the next start takes longer');
    }
  }
}

/** Writes one frame per state, and a checksum, with the memory of a few frames. */
async function writeFrames(
  handle: FileHandle,
  states: Iterable<readonly [path: string, state: StoredLog]>,
  reader: string,
): Promise<void> {
  const hash = createHash('sha256').update(reader);
  // One buffer for all batches, because the memory of many is returned to the system late or never.
  const batch = Buffer.allocUnsafeSlow(BATCH_BYTES);
  let filled = 0;
  const write = async (data: Buffer): Promise<void> => {
    hash.update(data);
    await handle.appendFile(data);
  };
  const flush = async (): Promise<void> => {
    await write(batch.subarray(0, filled));
    filled = 0;
  };
  for (const entry of states) {
    const frame = serialize(entry);
    if (filled + LENGTH_BYTES + frame.length > BATCH_BYTES) await flush();
    filled = batch.writeUInt32LE(frame.length, filled);
    if (filled + frame.length <= BATCH_BYTES) {
      filled += frame.copy(batch, filled);
    } else {
      await flush();
      await write(frame);
    }
  }
  await flush();
  await handle.appendFile(hash.digest());
}

/** Reads an index block by block. Empty if it is of another reader or damaged. */
async function readFrames(handle: FileHandle, size: number, reader: string): Promise<Map<string, StoredLog>> {
  const end = size - CHECKSUM_BYTES;
  const states = new Map<string, StoredLog>();
  if (end < 0 || !(await hasChecksum(handle, end, reader))) return states;
  let blockBytes = BATCH_BYTES;
  for (let position = 0; position < end;) {
    const block = await readBytes(handle, position, Math.min(blockBytes, end - position));
    if (block.length === 0) throw new Error('it became shorter');
    let start = 0;
    let frameEnd = endOfFrame(block, 0);
    for (; frameEnd <= block.length; frameEnd = endOfFrame(block, start)) {
      // A copy, because the arrays of a state would keep the whole block in memory. The checksum proves that this version has
      // written exactly this.
      const frame = copyBytes(block.subarray(start + LENGTH_BYTES, frameEnd));
      const [path, state] = deserialize(frame) as [string, StoredLog];
      states.set(path, state);
      start = frameEnd;
    }
    position += start;
    // A frame that is longer than a block is read as a whole.
    blockBytes = start > 0 ? BATCH_BYTES : frameEnd;
  }
  return states;
}

/** Returns the end of the frame that starts at a position. Infinity if the position is the end of the block. */
function endOfFrame(block: Buffer, start: number): number {
  if (start === block.length) return Infinity;
  return start + LENGTH_BYTES + (start + LENGTH_BYTES <= block.length ? block.readUInt32LE(start) : 0);
}

/** Returns whether the checksum at a position is the one of what lies before. */
async function hasChecksum(handle: FileHandle, end: number, reader: string): Promise<boolean> {
  const hash = createHash('sha256').update(reader);
  for (let position = 0; position < end; position += BATCH_BYTES) {
    hash.update(await readBytes(handle, position, Math.min(BATCH_BYTES, end - position)));
  }
  return hash.digest().equals(await readBytes(handle, end, CHECKSUM_BYTES));
}
