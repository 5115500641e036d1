import { type Clock, scheduleDeadline } from '../shared/index.js';
import { ToolCallTimeoutError } from './errors.js';

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
  #progressAtMs: number;
  /** Whether there was progress since the last check. */
  #hasProgress = false;
  #hasEverProgressed = false;
  #timer: Disposable;

  constructor(clock: Clock, timeoutMs: number, maxMs: number) {
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    this.#progressAtMs = clock.monotonic();
    this.#maxMs = Math.max(timeoutMs, maxMs);
    this.#endMs = this.#progressAtMs + this.#maxMs;
    this.#timer = this.#schedule(timeoutMs);
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

  #schedule(delayMs: number): Disposable {
    return scheduleDeadline(this.#clock, delayMs, () => this.#handleTimer());
  }

  #handleTimer(): void {
    const nowMs = this.#clock.monotonic();
    const remainingMs = Math.min(this.#progressAtMs + this.#timeoutMs, this.#endMs) - nowMs;
    // The deadline is measured from the progress, and is longer if this process was stalled.
    if (this.#hasProgress && remainingMs > 0) {
      this.#hasProgress = false;
      this.#timer = this.#schedule(remainingMs);
      return;
    }
    const limit =
      nowMs >= this.#endMs
        ? `${this.#maxMs} ms`
        : `${this.#timeoutMs} ms${this.#hasEverProgressed ? ' after its last output' : ''}`;
    this.#abort.abort(new ToolCallTimeoutError(`no answer within ${limit}`));
  }
}
