import { DEFAULT_LIMITS, type Limits } from '../../config/index.js';

/** Options that are not counted: `graphiql` rejects nothing, and `headersTimeoutMs` counts as `requestTimeoutMs`. */
type Uncounted = 'graphiql' | 'headersTimeoutMs';

/** Name of a counted limit: the name of its option, or `batch` and `oncePerSecond`, which are fixed. */
export type LimitName = Exclude<keyof Limits, Uncounted> | 'batch' | 'oncePerSecond';

export interface LimitHits {
  readonly name: LimitName;
  /** Number of rejections because of this limit since the start. */
  readonly hits: number;
}

/** Counts how often each limit rejects something. */
export interface LimitCounters {
  hit(name: LimitName): void;
  /** Returns the counters of all limits, including those without hits. */
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

const OPTIONS = Object.keys(DEFAULT_LIMITS) as (keyof Limits)[]; // the object is closed
const NAMES: readonly LimitName[] = [
  ...OPTIONS.filter((name) => name !== 'graphiql' && name !== 'headersTimeoutMs'),
  'batch',
  'oncePerSecond',
];
