/** Stream of random numbers determined by its seed (mulberry32). */
export class SeededRandom {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** Returns a number in [0, 1). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** Returns a whole number from 0 to `below` - 1. */
  below(below: number): number {
    return Math.floor(this.next() * below);
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<First, Rest>(choices: readonly [First, ...Rest[]]): First | Rest {
    return choices[this.below(choices.length)] ?? choices[0];
  }

  /** Returns one of the two whole numbers around `mean`, with this mean. */
  around(mean: number): number {
    const floor = Math.floor(mean);
    return floor + (this.chance(mean - floor) ? 1 : 0);
  }

  /** Returns `count` different choices, or all if there are fewer. */
  sample<T>(choices: readonly T[], count: number): T[] {
    const remaining = [...choices];
    const taken: T[] = [];
    while (taken.length < count && remaining.length > 0) {
      const index = this.below(remaining.length);
      const last = remaining.pop();
      if (last === undefined) break;
      const found = index === remaining.length ? last : remaining[index];
      if (found === undefined) break;
      if (index < remaining.length) remaining[index] = last;
      taken.push(found);
    }
    return taken;
  }

  /** Returns digits and lower-case letters. */
  base36(length: number): string {
    return Array.from({ length }, () => this.below(36).toString(36)).join('');
  }

  hex(length: number): string {
    return Array.from({ length }, () => this.below(16).toString(16)).join('');
  }
}
