import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { ReadLog } from '../source.js';
import type { FileStats } from './find-files.js';
import { LogReading, type LogPosition, type LogReadingDeps, readHeadAndTail } from './log-reading.js';
import { readBytes, withOpenFile } from './open-file.js';
import type { StoredLog } from './state-index.js';

/** Size in bytes above which only the beginning and the end of a file are read at first. */
const LARGE_FILE_BYTES = 128 * 1024;
/** Number of the first bytes by which a file is recognized. */
const HEAD_MARK_BYTES = 64;

/**
 * Follows one log file by its position in bytes. Begins again if the file shrinks, is replaced or has other content. A large file
 * is read completely later, while its newest lines are known already.
 */
export class LogFile {
  readonly path: string;
  readonly #location: string;
  readonly #deps: LogReadingDeps;
  #reading: LogReading | null = null;
  #isComplete = false;
  #stats: FileStats | null = null;
  #headMark: Buffer = Buffer.alloc(0);

  /**
   * @param root observed directory
   * @param path path below it
   * @param stored state of an earlier run, which is used if the file continues it
   */
  constructor(root: string, path: string, deps: LogReadingDeps, stored: StoredLog | null) {
    this.path = path;
    this.#location = join(root, path);
    this.#deps = deps;
    if (stored === null) return;
    this.#reading = new LogReading(path, deps, stored.state, stored.position);
    this.#isComplete = true;
    this.#stats = stored.stats;
    this.#headMark = stored.headMark;
  }

  /** Properties of the file when it was last read. Null before. */
  get stats(): FileStats | null {
    return this.#stats;
  }

  /** Whether the file was read from its beginning. */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  /** Returns the state after the lines that were read. Null before the first reading. */
  toReadLog(): ReadLog | null {
    const [reading, stats] = [this.#reading, this.#stats];
    if (reading === null || stats === null) return null;
    const { modifiedAtMs, createdAtMs } = stats;
    return { state: reading.state, isComplete: this.#isComplete, modifiedAtMs, createdAtMs };
  }

  /** Returns the state to store. Null if the file was not read completely. */
  toStored(): StoredLog | null {
    const [reading, stats] = [this.#reading, this.#stats];
    if (reading === null || stats === null || !this.#isComplete) return null;
    return { state: reading.state, position: reading.lineEnd, stats, headMark: this.#headMark };
  }

  /**
   * Reads what was appended.
   * @returns false if the file is none of this user's regular files
   * @throws the error of the system
   */
  async refresh(signal: AbortSignal): Promise<boolean> {
    const isRead = await withOpenFile(this.#location, async ({ handle, stats }) => {
      await this.#beginAgainIfReplaced(handle, stats);
      this.#reading ??= await this.#begin(handle, stats, signal);
      await this.#reading.readTo(handle, stats.size, signal);
      this.#stats = stats;
      return true;
    });
    return isRead === true;
  }

  /** Reads a large file completely, and replaces the state that lacks its middle. */
  async complete(signal: AbortSignal): Promise<void> {
    await withOpenFile(this.#location, async ({ handle }) => {
      const complete = new LogReading(this.path, this.#deps);
      const begun = this.#reading;
      while (!signal.aborted && this.#reading === begun && begun !== null) {
        const end = begun.position;
        const before = complete.position;
        await complete.readTo(handle, end, signal);
        if (complete.position >= begun.position && this.#isSameReading(begun)) {
          this.#reading = complete;
          this.#isComplete = true;
          return;
        }
        // The file has become shorter. The next refresh notices it.
        if (complete.position === before) return;
      }
    });
  }

  /** Function, because the compiler assumes that the property does not change while a promise is awaited. */
  #isSameReading(reading: LogReading): boolean {
    return this.#reading === reading;
  }

  async #begin(handle: FileHandle, stats: FileStats, signal: AbortSignal): Promise<LogReading> {
    this.#headMark = await readBytes(handle, 0, Math.min(HEAD_MARK_BYTES, stats.size));
    this.#isComplete = stats.size <= LARGE_FILE_BYTES;
    return this.#isComplete
      ? new LogReading(this.path, this.#deps)
      : readHeadAndTail(this.path, this.#deps, handle, stats.size, signal);
  }

  async #beginAgainIfReplaced(handle: FileHandle, stats: FileStats): Promise<void> {
    const reading = this.#reading;
    if (reading === null || this.#stats === null) return;
    const isSameFile =
      stats.inode === this.#stats.inode &&
      stats.size >= reading.position &&
      (await hasBytes(handle, 0, this.#headMark)) &&
      (await hasMark(handle, reading.lineEnd));
    if (isSameFile) return;
    this.#deps.problems.record('replaced-file', this.path);
    this.#reading = null;
    this.#isComplete = false;
  }
}

function hasMark(handle: FileHandle, { bytes, mark }: LogPosition): Promise<boolean> {
  return hasBytes(handle, bytes - mark.length, mark);
}

async function hasBytes(handle: FileHandle, position: number, expected: Buffer): Promise<boolean> {
  return expected.length === 0 || (await readBytes(handle, position, expected.length)).equals(expected);
}
