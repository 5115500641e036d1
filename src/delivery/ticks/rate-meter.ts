/** What a stream was asked for, and what is left of it. */
export interface StreamRate {
  /** Updates a second; 0: only when asked. */
  readonly requestedHz: number;
  /** Updates a second that it gets while something changes all the time; mean of about the last ten ticks. */
  readonly effectiveHz: number;
}

/** The share of ticks, 0..1, that were not skipped: a moving mean. */
export class RateMeter {
  #share = 1;

  get share(): number {
    return this.#share;
  }

  recordServed(): void {
    if (this.#share === 1) return;
    this.#share += (1 - this.#share) * WEIGHT;
    // A mean never quite comes back by itself, and whoever is back is to share its updates with the others again.
    if (this.#share > RECOVERED) this.#share = 1;
  }

  recordSkipped(ticks = 1): void {
    this.#share *= (1 - WEIGHT) ** ticks;
  }
}

/** Of the newest tick in the moving mean: about the last ten count. */
const WEIGHT = 0.1;
const RECOVERED = 0.95;

/** Rounded, so that streams that run about as fast can share their updates: to whole Hz, below 10 to tenths. */
export function toEffectiveHz(hz: number, share: number): number {
  const exact = hz * share;
  return share === 1 ? hz : exact < 10 ? Math.round(exact * 10) / 10 : Math.round(exact);
}
