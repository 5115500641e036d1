const KEPT = 240;

/** How long the last frames took this page to make, without what the browser does with them afterwards. */
export class FrameTimes {
  readonly #works: number[] = [];
  #next = 0;

  add(workMs: number): void {
    this.#works[this.#next] = workMs;
    this.#next = (this.#next + 1) % KEPT;
  }

  /** Milliseconds that this share of the frames took at most; null: nothing was drawn yet. @param share 0..1 */
  percentile(share: number): number | null {
    const sorted = [...this.#works].sort((a, b) => a - b);
    return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? null;
  }
}
