/** What a stream was asked for, and what its reader leaves of it. */
export interface StreamRate {
  /** Updates a second; 0: only when asked. */
  readonly requestedHz: number;
  readonly effectiveHz: number;
}

/** Measures how many ticks a stream had to skip because its reader was still busy with the update before. */
export class RateMeter {
  readonly #hz: number;
  #skipped = 0;
  #deliveredAtMs: number | null = null;

  constructor(hz: number) {
    this.#hz = hz;
  }

  /** The reader has been given an update. */
  delivered(nowMs: number): void {
    this.#deliveredAtMs = nowMs;
  }

  /** The reader has come for the next one. */
  ready(nowMs: number): void {
    if (this.#deliveredAtMs === null || this.#hz === 0) return;
    const skipped = Math.floor(((nowMs - this.#deliveredAtMs) * this.#hz) / 1000);
    this.#skipped += (skipped - this.#skipped) * WEIGHT;
    this.#deliveredAtMs = null;
  }

  rate(): StreamRate {
    return { requestedHz: this.#hz, effectiveHz: this.#hz / (1 + this.#skipped) };
  }
}

/** Of the newest update in the moving mean: about the last ten count. */
const WEIGHT = 0.2;
