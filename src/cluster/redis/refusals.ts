import type { Logger } from '../../shared/index.js';

/**
 * Reasons for which this node ignores data of Redis.
 * `version`: another format. `unsigned`: no signature, although this node has keys. `unverifiable`: a signature, although this
 * node has no key. `signature`: the signature fits none of the keys, or not the channel or key that the data is in.
 * `expired`: too old, or from the future. `replayed`: older than data that this node already has. `oversized`: too large.
 */
export const REFUSAL_REASONS = [
  'version',
  'unsigned',
  'unverifiable',
  'signature',
  'expired',
  'replayed',
  'oversized',
] as const;

export type RefusalReason = (typeof REFUSAL_REASONS)[number];

const EXPLANATIONS: Readonly<Record<RefusalReason, string>> = {
  version: 'ignored data of another version in Redis: all nodes must run the same version',
  unsigned: 'ignored unsigned data in Redis: all nodes need the same swarmlens.busKeys, or a stranger writes to Redis',
  unverifiable: 'ignored signed data in Redis: set swarmlens.busKeys on this node as on the others',
  signature:
    'ignored data with an invalid signature in Redis: all nodes need the same swarmlens.busKeys, or a stranger writes to Redis',
  expired: 'ignored data in Redis that is too old: a node was stopped for long, or a stranger repeats recorded data',
  replayed: 'ignored repeated data in Redis: a connection was reset, or a stranger repeats recorded data',
  oversized: 'ignored data in Redis that is larger than any node writes',
};

/** Counts the data of Redis that this node ignores. Logs the first occurrence of each reason. */
export class Refusals {
  readonly #logger: Logger;
  readonly #counts = new Map<RefusalReason, number>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** Number of refusals since the start, by reason. */
  get counts(): ReadonlyMap<RefusalReason, number> {
    return this.#counts;
  }

  /** @param name channel or key that contained the data */
  count(reason: RefusalReason, name: string): void {
    const count = this.#counts.get(reason) ?? 0;
    this.#counts.set(reason, count + 1);
    if (count === 0) this.#logger.warn({ reason, name }, EXPLANATIONS[reason]);
  }
}
