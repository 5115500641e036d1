/** Last samples of several metrics. Null marks an unknown value. */
export class SampleBuffer {
  readonly #max: number;
  readonly times: number[] = [];
  readonly values: (number | null)[][];

  /**
   * @param count number of metrics
   * @param max maximum number of samples
   */
  constructor(count: number, max: number) {
    this.#max = max;
    this.values = Array.from({ length: count }, () => []);
  }

  /** @param atSeconds time of the sample; ignored if it is not later than the previous one */
  add(atSeconds: number, values: readonly (number | null)[]): void {
    if (atSeconds <= (this.times.at(-1) ?? Number.NEGATIVE_INFINITY)) return;
    this.times.push(atSeconds);
    this.values.forEach((column, index) => column.push(values[index] ?? null));
    if (this.times.length <= this.#max) return;
    this.times.shift();
    for (const column of this.values) column.shift();
  }
}
