import { SeededRandom } from './random.js';

/** Time in the first ids. Constant, so that equal seeds always give equal ids. */
const FIRST_ID_MS = Date.UTC(2026, 0, 1);
const ID_STEP_MS = 100;

/** Generates ids shaped like those of the real servers, from the seed, the step and the number of earlier ids. */
export class IdGenerator {
  // A separate stream, so that the number of ids does not affect the world.
  readonly #random: SeededRandom;
  #lastMs = 0;
  #step = 0;

  constructor(seed: number) {
    this.#random = new SeededRandom(seed ^ 0x1d5);
  }

  /** Sets the step whose time new ids contain. */
  moveTo(step: number): void {
    this.#step = step;
  }

  /** Returns an id of the form `<prefix>-<ms>` with unique milliseconds. */
  timestamped(prefix: string): string {
    this.#lastMs = Math.max(FIRST_ID_MS + this.#step * ID_STEP_MS, this.#lastMs + 1);
    return `${prefix}-${this.#lastMs}`;
  }

  /** Returns an id of the form `<prefix>-<ms>-<random>`. */
  tagged(prefix: string, randomLength: number): string {
    return `${this.timestamped(prefix)}-${this.#random.base36(randomLength)}`;
  }

  uuid(): string {
    const hex = (length: number): string => this.#random.hex(length);
    return `${hex(8)}-${hex(4)}-4${hex(3)}-a${hex(3)}-${hex(12)}`;
  }

  secret(): string {
    return this.#random.hex(32);
  }
}
