import { toPrintableLine } from '../shared/sanitize/index.js';

/** What stands for all values that are too many to be told apart. */
export const OVERFLOW_LABEL = 'other';

/** Names longer than that are cut: they come from anywhere. */
const MAX_LENGTH = 128;

/**
 * The values of a label that come from outside, and of which there may be any number: the first `max` of them are told
 * apart, all others are "other".
 */
export class BoundedLabelValues {
  readonly #max: number;
  readonly #known = new Set<string>();

  /** @param max 0 or more, "other" not counted */
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

  valueFor(name: string): string {
    const value = toLabelValue(name);
    if (this.#known.has(value)) return value;
    if (this.#known.size >= this.#max) return OVERFLOW_LABEL;
    this.#known.add(value);
    return value;
  }

  /** Makes room: nothing of that name is shown any more. */
  forget(value: string): void {
    this.#known.delete(value);
  }
}

/** A text as it can stand in a label: one line of whole characters, without secrets, not too long. */
export function toLabelValue(text: string): string {
  // Half a character is written like any other: two names that differ in it only would be one series, twice.
  return toPrintableLine(text.replaceAll(/\p{Cs}/gu, '\ufffd'), MAX_LENGTH);
}

/** The largest of these, under their names, and the sum of all others as "other": at most `max` and one. */
export function topCounts(counts: ReadonlyMap<string, number>, max: number): ReadonlyMap<string, number> {
  const sorted = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  const shown = new Map<string, number>();
  for (const [index, [name, count]] of sorted.entries()) {
    const value = index < max ? toLabelValue(name) : OVERFLOW_LABEL;
    shown.set(value, (shown.get(value) ?? 0) + count);
  }
  return shown;
}
