import { toPrintableLine } from '../shared/sanitize/index.js';

/** Label value that stands for all values above a limit. */
export const OVERFLOW_LABEL = 'other';

/** Maximum length of a label value in UTF-16 units. Names come from outside and may be of any length. */
const MAX_LENGTH = 128;

/** Bounds the number of values of a label from outside. The first `max` values keep their names; all others become "other". */
export class BoundedLabelValues {
  readonly #max: number;
  readonly #known = new Set<string>();

  /** @param max maximum number of values, excluding "other" */
  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#known.size;
  }

  has(name: string): boolean {
    return this.#known.has(toLabelValue(name));
  }

  values(): Iterable<string> {
    return this.#known.values();
  }

  /** Returns the label value of a name: its own value, or "other" above the limit. */
  valueFor(name: string): string {
    const value = toLabelValue(name);
    if (this.#known.has(value)) return value;
    if (this.#known.size >= this.#max) return OVERFLOW_LABEL;
    this.#known.add(value);
    return value;
  }

  /** Removes a value, so that another one can take its place. */
  forget(value: string): void {
    this.#known.delete(value);
  }
}

/** Converts a text to a label value: one line of complete characters, without secrets, of limited length. */
export function toLabelValue(text: string): string {
  // All lone surrogates are written alike: names that differ only in them would become duplicate series.
  return toPrintableLine(text.replaceAll(/\p{Cs}/gu, '\ufffd'), MAX_LENGTH);
}

/** Returns the `max` largest counts by name, and the sum of all others as "other". */
export function topCounts(counts: ReadonlyMap<string, number>, max: number): ReadonlyMap<string, number> {
  const sorted = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  const result = new Map<string, number>();
  for (const [index, [name, count]] of sorted.entries()) {
    const value = index < max ? toLabelValue(name) : OVERFLOW_LABEL;
    result.set(value, (result.get(value) ?? 0) + count);
  }
  return result;
}
