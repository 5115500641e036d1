/** A stream of numbers that a seed fixes (mulberry32). */
export class SeededRandom {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** 0 inclusive to 1 exclusive. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number from 0 to `below` - 1. */
  below(below: number): number {
    return Math.floor(this.next() * below);
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<First, Rest>(choices: readonly [First, ...Rest[]]): First | Rest {
    return choices[this.below(choices.length)] ?? choices[0];
  }

  /** A whole number whose mean is `mean`. */
  around(mean: number): number {
    const whole = Math.floor(mean);
    return whole + (this.chance(mean - whole) ? 1 : 0);
  }

  /** `count` different ones, or all when there are fewer. */
  sample<T>(choices: readonly T[], count: number): T[] {
    const rest = [...choices];
    const taken: T[] = [];
    while (taken.length < count && rest.length > 0) {
      const index = this.below(rest.length);
      const last = rest.pop();
      if (last === undefined) break;
      const found = index === rest.length ? last : rest[index];
      if (found === undefined) break;
      if (index < rest.length) rest[index] = last;
      taken.push(found);
    }
    return taken;
  }

  /** Digits and lower-case letters. */
  base36(length: number): string {
    return Array.from({ length }, () => this.below(36).toString(36)).join('');
  }

  hex(length: number): string {
    return Array.from({ length }, () => this.below(16).toString(16)).join('');
  }
}
