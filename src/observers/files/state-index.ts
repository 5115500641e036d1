import { createHash } from 'node:crypto';
import { type FileHandle, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import { errorMessage, hasErrorCode, type Logger } from '../../shared/index.js';
import type { LogState } from '../source.js';
import type { FileStats } from './find-files.js';
import type { LogPosition } from './log-reading.js';
import { copyBytes } from './open-file.js';

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
/** Number of bytes that are written at once, unless a frame is longer. */
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
      const { size } = await stat(file);
      if (size > MAX_INDEX_BYTES) throw new Error('it is too large');
      return parseFrames(await readFile(file), reader);
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

/** Parses an index. Empty if it is of another reader or damaged. */
function parseFrames(content: Buffer, reader: string): Map<string, StoredLog> {
  const end = content.length - CHECKSUM_BYTES;
  const states = new Map<string, StoredLog>();
  if (end < 0) return states;
  const data = content.subarray(0, end);
  if (!createHash('sha256').update(reader).update(data).digest().equals(content.subarray(end))) return states;
  for (let position = 0; position < end;) {
    const start = position + LENGTH_BYTES;
    position = start + data.readUInt32LE(position);
    // A copy, because the arrays of a state would keep the whole content in memory. The checksum proves that this version has
    // written exactly this.
    const [path, state] = deserialize(copyBytes(data.subarray(start, position))) as [string, StoredLog];
    states.set(path, state);
  }
  return states;
}
