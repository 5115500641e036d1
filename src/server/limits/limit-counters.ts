import { DEFAULT_LIMITS, type Limits } from '../../config/index.js';

/** Options that are not counted: nobody is refused by one, and the other counts as `requestTimeoutMs`. */
type Uncounted = 'graphiql' | 'headersTimeoutMs';

/** What can be counted: the options by their names, and the limits that have none. */
export type LimitName = Exclude<keyof Limits, Uncounted> | 'batch' | 'oncePerSecond';

export interface LimitHits {
  readonly name: LimitName;
  /** How often it was reached, since the start. */
  readonly hits: number;
}

/** Counts how often each limit is reached, for whoever shows it. */
export interface LimitCounters {
  hit(name: LimitName): void;
  /** All of them, those that were never reached too. */
  read(): readonly LimitHits[];
}

export class MemoryLimitCounters implements LimitCounters {
  readonly #hits = new Map<LimitName, number>(NAMES.map((name) => [name, 0]));

  hit(name: LimitName): void {
    this.#hits.set(name, (this.#hits.get(name) ?? 0) + 1);
  }

  read(): readonly LimitHits[] {
    return [...this.#hits].map(([name, hits]) => ({ name, hits }));
  }
}

const OPTIONS = Object.keys(DEFAULT_LIMITS) as (keyof Limits)[]; // it has these keys and no others
const NAMES: readonly LimitName[] = [
  ...OPTIONS.filter((name) => name !== 'graphiql' && name !== 'headersTimeoutMs'),
  'batch',
  'oncePerSecond',
];
