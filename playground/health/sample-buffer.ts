/** The last values of some figures, each with its time; null: not known then. */
export class SampleBuffer {
  readonly #max: number;
  readonly times: number[] = [];
  readonly values: (number | null)[][];

  /** @param count of figures @param max samples that are kept */
  constructor(count: number, max: number) {
    this.#max = max;
    this.values = Array.from({ length: count }, () => []);
  }

  /** @param atSeconds later than the sample before; one that is not is left out */
  add(atSeconds: number, values: readonly (number | null)[]): void {
    if (atSeconds <= (this.times.at(-1) ?? Number.NEGATIVE_INFINITY)) return;
    this.times.push(atSeconds);
    this.values.forEach((column, index) => column.push(values[index] ?? null));
    if (this.times.length <= this.#max) return;
    this.times.shift();
    for (const column of this.values) column.shift();
  }
}
