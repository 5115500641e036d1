import { errorMessage, fileFingerprint, hasErrorCode, MAX_MESSAGE_BYTES, readCheckedFile } from '../../shared/index.js';
import { sanitizeJsonTextInTurns } from '../../shared/sanitize/index.js';
import type { ToolFailure } from '../../model/index.js';
import type { AdapterContext } from '../adapter.js';
import type { PolledSource } from '../polled-tool.js';
import { UnusableResponseError } from '../responses/parse-response.js';
import type { RecordReader } from '../responses/record-reader.js';

/**
 * Time in milliseconds after a change, or after a failure to read, after which the file is read once more. Two changes within the resolution of the
 * file system's timestamps cannot be distinguished.
 */
const SETTLE_MS = 2_000;
/** Time in milliseconds for which an incomplete file counts as being written. */
const INCOMPLETE_MS = 1_000;

/** Options of a `StateFile`. */
export interface StateFileOptions<T> {
  /** Path relative to the project, with forward slashes. Names the file in failures. */
  readonly name: string;
  readonly path: string;
  /** Value of an absent file. */
  readonly absent: T;
  /**
   * Parses the content.
   * @throws UnusableResponseError if the content is malformed
   */
  readonly read: (content: unknown) => T;
}

/**
 * JSON file that another program writes. Checks the metadata at each refresh and reads the file only after a change. Keeps
 * the last good value while the file is half-written, malformed or too large. Never writes.
 */
export class StateFile<T> implements PolledSource<T> {
  readonly #context: Pick<AdapterContext, 'caller' | 'clock'>;
  readonly #records: RecordReader;
  readonly #options: StateFileOptions<T>;
  #exists = false;
  #lastGood: T | null = null;
  #failure: ToolFailure | null = null;
  #omission: ToolFailure | null = null;
  #fingerprint: string | null = null;
  #changedAtMs = 0;
  /** Monotonic time at which the file is read although its metadata has not changed. */
  #rereadAtMs = Infinity;

  constructor(context: Pick<AdapterContext, 'caller' | 'clock'>, records: RecordReader, options: StateFileOptions<T>) {
    this.#context = context;
    this.#records = records;
    this.#options = options;
  }

  /** Whether the file existed at the last refresh. */
  get exists(): boolean {
    return this.#exists;
  }

  /** Metadata of the content that was read last. Null before the first refresh. */
  get fingerprint(): string | null {
    return this.#fingerprint;
  }

  get current(): T | null {
    return this.#failure === null ? this.#lastGood : null;
  }

  get lastGood(): T | null {
    return this.#lastGood;
  }

  get failure(): ToolFailure | null {
    return this.#failure;
  }

  get omission(): ToolFailure | null {
    return this.#omission;
  }

  /** Reads the file if it has changed. Never throws because of the file. */
  async refresh(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const fingerprint = await fileFingerprint(this.#options.path);
    const nowMs = this.#context.clock.monotonic();
    if (fingerprint !== this.#fingerprint) {
      this.#fingerprint = fingerprint;
      this.#changedAtMs = nowMs;
      this.#rereadAtMs = nowMs + SETTLE_MS;
    } else {
      if (nowMs < this.#rereadAtMs) return;
      this.#rereadAtMs = Infinity;
    }
    await this.#read(nowMs);
  }

  async #read(nowMs: number): Promise<void> {
    const { path, absent, read } = this.#options;
    let content: unknown;
    try {
      const text = await readCheckedFile(path, MAX_MESSAGE_BYTES, () => null);
      this.#exists = true;
      content = (await sanitizeJsonTextInTurns(text)).value;
    } catch (error) {
      this.#exists = !isAbsent(error);
      if (this.#exists) {
        // The cause may end without a change of the file, such as too many open files.
        this.#rereadAtMs = nowMs + SETTLE_MS;
        this.#fail(errorMessage(error));
      } else this.#accept(absent, null);
      return;
    }
    // Text that is no JSON is returned as it is.
    if (typeof content === 'string') this.#handleIncomplete(nowMs);
    else this.#parse(content, read);
  }

  #parse(content: unknown, read: (content: unknown) => T): void {
    const { caller } = this.#context;
    this.#records.takeOmission();
    try {
      const value = caller.process === undefined ? read(content) : caller.process(() => read(content));
      this.#accept(value, this.#records.takeOmission());
    } catch (error) {
      if (!(error instanceof UnusableResponseError)) throw error;
      this.#fail(error.message);
    }
  }

  #accept(value: T, omission: string | null): void {
    this.#lastGood = value;
    this.#failure = null;
    this.#omission = omission === null ? null : { tool: this.#options.name, message: omission };
  }

  /** The server replaces the content in place, so that a reader may see a part of it. */
  #handleIncomplete(nowMs: number): void {
    const incompleteSinceMs = nowMs - this.#changedAtMs;
    if (incompleteSinceMs >= INCOMPLETE_MS) this.#fail('The file is not valid JSON');
    else this.#rereadAtMs = nowMs;
  }

  #fail(message: string): void {
    this.#failure = { tool: this.#options.name, message };
    this.#omission = null;
  }
}

function isAbsent(error: unknown): boolean {
  return hasErrorCode(error, 'ENOENT') || hasErrorCode(error, 'ENOTDIR');
}
