import { type Clock, isAborted, ReactionDelay, sleep } from '../shared/index.js';
import { ToolRejectedError } from './errors.js';

/** Time in milliseconds between two reactions: at least, and at most while changes never stop. */
const DELAYS = { initialMs: 1_000, maxMs: 60_000 };

export interface ChangeReactionOptions {
  readonly clock: Clock;
  /** Ends all reactions. */
  readonly signal: AbortSignal;
  /** Reads or requests again what has changed. Repeated after a failure. */
  readonly react: () => Promise<void>;
  /** Called after each failure. Returns whether to try again. @default always */
  readonly onFailure?: (error: unknown) => boolean;
}

/**
 * Reacts to changes that a server reports: one reaction at a time, at once after a quiet time, and more and more slowly while
 * the changes never stop. Changes during a reaction lead to one more.
 */
export class ChangeReaction {
  readonly #options: ChangeReactionOptions;
  readonly #delay: ReactionDelay;
  #isDue = false;
  #isRunning = false;

  constructor(options: ChangeReactionOptions) {
    this.#options = options;
    this.#delay = new ReactionDelay(options.clock, DELAYS);
  }

  /** Requests a reaction. */
  trigger(): void {
    this.#isDue = true;
    // Does not reject.
    if (!this.#isRunning) this.#run().catch(() => undefined);
  }

  async #run(): Promise<void> {
    const { clock, signal, react, onFailure } = this.#options;
    this.#isRunning = true;
    let failures = 0;
    let pauseMs = 0;
    while (this.#isDue && !signal.aborted) {
      const delayMs = Math.max(pauseMs, this.#delay.next(failures));
      if (delayMs > 0) await sleep(clock, delayMs, signal);
      if (isAborted(signal)) break;
      this.#isDue = false;
      try {
        await react();
        failures = 0;
        pauseMs = 0;
      } catch (error) {
        failures += 1;
        pauseMs = error instanceof ToolRejectedError ? (error.retryAfterMs ?? 0) : 0;
        this.#isDue ||= onFailure?.(error) ?? true;
      }
    }
    this.#isRunning = false;
  }
}
