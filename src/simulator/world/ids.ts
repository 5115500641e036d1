import { SeededRandom } from './random.js';

/** The time that is written into the first ids. Fixed, because equal seeds have equal ids whenever they are run. */
const FIRST_ID_MS = Date.UTC(2026, 0, 1);
const ID_STEP_MS = 100;

/** Makes ids shaped like those of the real servers. They depend on the seed, the step and how many were made before. */
export class IdGenerator {
  // A stream of its own: how often ids are asked for must not change what happens in the world.
  readonly #random: SeededRandom;
  #lastMs = 0;
  #step = 0;

  constructor(seed: number) {
    this.#random = new SeededRandom(seed ^ 0x1d5);
  }

  /** Ids made from now on carry the time of that step. */
  moveTo(step: number): void {
    this.#step = step;
  }

  /** `<prefix>-<ms>`, with milliseconds that no other id has. */
  timestamped(prefix: string): string {
    this.#lastMs = Math.max(FIRST_ID_MS + this.#step * ID_STEP_MS, this.#lastMs + 1);
    return `${prefix}-${this.#lastMs}`;
  }

  /** `<prefix>-<ms>-<random>` */
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
