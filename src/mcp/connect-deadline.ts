import { type Clock, scheduleDeadline } from '../shared/index.js';
import { ToolCallTimeoutError } from './errors.js';

export interface ConnectDeadlineOptions {
  /** Time limit in milliseconds since the start, or since the last output of the server. */
  readonly timeoutMs: number;
  /** Maximum duration of the attempt in milliseconds, at least `timeoutMs`. */
  readonly maxMs: number;
  /** Shorter limit while the server has sent no message and written no output. Null if there is none. */
  readonly silence: { readonly limitMs: number; readonly hasReceived: () => boolean } | null;
}

/**
 * Time limit of one attempt to connect. The output of a starting server shows progress, for example of an installation, and
 * starts the limit again, until the maximum duration of the attempt has passed.
 */
export class ConnectDeadline implements Disposable {
  readonly #abort = new AbortController();
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #endMs: number;
  readonly #maxMs: number;
  /** Limit for a silent server. Null after its first message or output. */
  #silence: ConnectDeadlineOptions['silence'];
  #progressAtMs: number;
  /** Whether there was progress since the last check. */
  #hasProgress = false;
  #hasEverProgressed = false;
  #timer: Disposable;

  constructor(clock: Clock, { timeoutMs, maxMs, silence }: ConnectDeadlineOptions) {
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    this.#progressAtMs = clock.monotonic();
    this.#maxMs = Math.max(timeoutMs, maxMs);
    this.#endMs = this.#progressAtMs + this.#maxMs;
    this.#silence = silence;
    this.#timer = this.#schedule(this.#limitMs);
  }

  /** Aborted with a `ToolCallTimeoutError` when the limit has passed. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Maximum remaining time in milliseconds, at least 1. */
  get maxRemainingMs(): number {
    return Math.max(1, this.#endMs - this.#clock.monotonic());
  }

  recordProgress(): void {
    this.#progressAtMs = this.#clock.monotonic();
    this.#hasProgress = true;
    this.#hasEverProgressed = true;
  }

  [Symbol.dispose](): void {
    this.#timer[Symbol.dispose]();
  }

  get #limitMs(): number {
    return this.#silence?.limitMs ?? this.#timeoutMs;
  }

  #schedule(delayMs: number): Disposable {
    return scheduleDeadline(this.#clock, delayMs, () => this.#handleTimer());
  }

  #handleTimer(): void {
    const nowMs = this.#clock.monotonic();
    const hasBrokenSilence = this.#silence !== null && (this.#hasEverProgressed || this.#silence.hasReceived());
    if (hasBrokenSilence) this.#silence = null;
    const remainingMs = Math.min(this.#progressAtMs + this.#limitMs, this.#endMs) - nowMs;
    // The deadline is measured from the progress, and is longer if this process was stalled.
    if ((this.#hasProgress || hasBrokenSilence) && remainingMs > 0) {
      this.#hasProgress = false;
      this.#timer = this.#schedule(remainingMs);
      return;
    }
    const limit =
      nowMs >= this.#endMs
        ? `${this.#maxMs} ms`
        : `${this.#limitMs} ms${this.#hasEverProgressed ? ' after its last output' : ''}`;
    this.#abort.abort(new ToolCallTimeoutError(`no answer within ${limit}`));
  }
}
