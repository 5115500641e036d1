import { createHash } from 'node:crypto';
import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import { errorMessage, hasErrorCode, type Logger } from '../../shared/index.js';
import type { LogState } from '../source.js';
import type { FileStats } from './find-files.js';
import type { LogPosition } from './log-reading.js';

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
      const content = await readFile(file);
      const [checksum, data] = [content.subarray(0, CHECKSUM_BYTES), content.subarray(CHECKSUM_BYTES)];
      if (!checksum.equals(digest(reader, data))) return new Map();
      // The checksum proves that this version has written exactly this.
      return deserialize(data) as Map<string, StoredLog>;
    } catch (error) {
      if (!hasErrorCode(error, 'ENOENT')) {
        logger.warn({ file, error: errorMessage(error) }, 'the index cannot be used; all files are read again');
      }
      return new Map();
    }
  }

  /** Replaces the index. Never leaves a half-written one. */
  async save(states: ReadonlyMap<string, StoredLog>): Promise<void> {
    const { file, reader, logger } = this.#options;
    if (file === null) return;
    const draft = `${file}.${process.pid}`;
    try {
      await mkdir(dirname(file), { recursive: true, mode: 0o700 });
      const data = serialize(states);
      const handle = await open(draft, 'w', 0o600);
      try {
        await handle.writeFile(digest(reader, data));
        await handle.appendFile(data);
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

function digest(reader: string, data: Buffer): Buffer {
  return createHash('sha256').update(reader).update('\0').update(data).digest();
}
