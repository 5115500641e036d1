/** Requested and effective rate of a stream. */
export interface StreamRate {
  /** Updates per second. 0: only on request. */
  readonly requestedHz: number;
  /** Updates per second that the stream receives during continuous change. Average of about the last ten ticks. */
  readonly effectiveHz: number;
}

/** Moving average of the share of served ticks, 0 to 1. */
export class RateMeter {
  #share = 1;

  get share(): number {
    return this.#share;
  }

  recordServed(): void {
    if (this.#share === 1) return;
    this.#share += (1 - this.#share) * WEIGHT;
    // A moving average never reaches 1 again by itself. Only streams of equal rate share their updates.
    if (this.#share > RECOVERED) this.#share = 1;
  }

  recordSkipped(ticks = 1): void {
    this.#share *= (1 - WEIGHT) ** ticks;
  }
}

/** Weight of the newest tick in the moving average, which covers about ten ticks. */
const WEIGHT = 0.1;
const RECOVERED = 0.95;

/** Returns the effective rate, rounded so that streams of similar rates share updates: to whole Hz, below 10 Hz to tenths. */
export function toEffectiveHz(hz: number, share: number): number {
  const exact = hz * share;
  return share === 1 ? hz : exact < 10 ? Math.round(exact * 10) / 10 : Math.round(exact);
}
