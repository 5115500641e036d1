import type { FileHandle } from 'node:fs/promises';
import { LineSplitter, nextTurn } from '../../shared/index.js';
import type { LogState, Source } from '../source.js';
import type { InputProblems } from './input-problems.js';
import { copyBytes, readBytes } from './open-file.js';

const CHUNK_BYTES = 64 * 1024;
/** Longest line that is parsed. Longer ones are skipped without being kept in memory. */
export const MAX_LINE_BYTES = 8 * 1024 * 1024;
const HEAD_BYTES = 16 * 1024;
const TAIL_BYTES = 64 * 1024;
/** Number of bytes before a position by which the file is recognized. */
const MARK_BYTES = 32;
const NEWLINE = 0x0a;

export interface LogReadingDeps {
  readonly source: Pick<Source, 'createState' | 'reduce' | 'skipRecords'>;
  readonly problems: Pick<InputProblems, 'record'>;
}

/** Position in a log file behind a complete line. */
export interface LogPosition {
  readonly bytes: number;
  /** The last bytes before the position. */
  readonly mark: Buffer;
}

export const LOG_START: LogPosition = { bytes: 0, mark: Buffer.alloc(0) };

/** Reading of one log file: its position, the line that has begun, and the state after the complete lines. */
export class LogReading {
  readonly state: LogState;
  readonly #path: string;
  readonly #deps: LogReadingDeps;
  readonly #lines: LineSplitter;
  #lineEnd: LogPosition;
  #position: number;

  /** @param state state after the lines before `start` */
  constructor(path: string, deps: LogReadingDeps, state = deps.source.createState(path), start = LOG_START) {
    this.#path = path;
    this.#deps = deps;
    this.state = state;
    this.#lineEnd = start;
    this.#position = start.bytes;
    this.#lines = new LineSplitter(
      MAX_LINE_BYTES,
      (line) => this.#handleLine(line),
      () => deps.problems.record('long-line', path),
    );
  }

  /** Number of bytes up to which the file was read. */
  get position(): number {
    return this.#position;
  }

  /** Position behind the last complete line. */
  get lineEnd(): LogPosition {
    return this.#lineEnd;
  }

  /** Reads up to a position, in several turns of the event loop. */
  async readTo(handle: FileHandle, end: number, signal: AbortSignal): Promise<void> {
    while (this.#position < end && !signal.aborted) {
      const chunk = await readBytes(handle, this.#position, Math.min(CHUNK_BYTES, end - this.#position));
      if (chunk.length === 0) return;
      this.push(chunk);
      await nextTurn();
    }
  }

  /** Applies the bytes at the position. */
  push(chunk: Buffer): void {
    const end = chunk.lastIndexOf(NEWLINE) + 1;
    if (end > 0) {
      const mark = copyBytes(chunk.subarray(Math.max(0, end - MARK_BYTES), end));
      this.#lineEnd = { bytes: this.#position + end, mark };
    }
    this.#position += chunk.length;
    this.#lines.push(chunk);
  }

  #handleLine(line: Buffer): void {
    const text = line.toString('utf8');
    if (text.trim() === '') return;
    let record: unknown;
    try {
      record = JSON.parse(text.startsWith('\ufeff') ? text.slice(1) : text);
    } catch {
      this.#deps.problems.record('broken-line', this.#path);
      return;
    }
    this.#deps.source.reduce(this.state, record);
  }
}

/**
 * Reads the beginning and the end of a large log file, which identify the agent and contain what it does now. The state lacks what lies
 * between.
 */
export async function readHeadAndTail(
  path: string,
  { source }: Pick<LogReadingDeps, 'source'>,
  handle: FileHandle,
  size: number,
  signal: AbortSignal,
): Promise<LogReading> {
  // All lines are read again later, and their problems are counted then.
  const deps: LogReadingDeps = { source, problems: { record: () => undefined } };
  const head = new LogReading(path, deps);
  await head.readTo(handle, HEAD_BYTES, signal);
  deps.source.skipRecords(head.state);
  for (let length = TAIL_BYTES; ; length = Math.min(2 * length, MAX_LINE_BYTES)) {
    const start = size - length;
    const chunk = await readBytes(handle, start, length);
    const lineStart = chunk.indexOf(NEWLINE) + 1;
    const hasLine = lineStart > 0 && lineStart < chunk.length;
    // A line that is longer than that is skipped when its end is read.
    if (!hasLine && length < MAX_LINE_BYTES && start > HEAD_BYTES) continue;
    const tail = new LogReading(path, deps, head.state, { bytes: start + lineStart, mark: Buffer.alloc(0) });
    tail.push(chunk.subarray(lineStart));
    return tail;
  }
}
