const MAX_FRAMES = 240;

/** Times that the page spent on its last frames, without the browser's own work. */
export class FrameTimes {
  readonly #workMs: number[] = [];
  #next = 0;

  add(workMs: number): void {
    this.#workMs[this.#next] = workMs;
    this.#next = (this.#next + 1) % MAX_FRAMES;
  }

  /**
   * Returns a percentile of the frame times in milliseconds. Null before the first frame.
   *
   * @param share 0 to 1
   */
  percentile(share: number): number | null {
    const sorted = [...this.#workMs].sort((a, b) => a - b);
    return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? null;
  }
}
