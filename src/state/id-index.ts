/**
 * Ids of items by one of their values, for example agents by swarm, or tasks by each of their agents. An item whose value is
 * null has no entry.
 */
export class IdIndex<K> {
  readonly #ids = new Map<K, Set<string>>();

  /** Moves an id from one value to another. Null: the id had, or has, no value. */
  move(id: string, from: K | null, to: K | null): void {
    if (from === to) return;
    if (from !== null) {
      const ids = this.#ids.get(from);
      ids?.delete(id);
      if (ids?.size === 0) this.#ids.delete(from);
    }
    if (to === null) return;
    const ids = this.#ids.get(to);
    if (ids === undefined) this.#ids.set(to, new Set([id]));
    else ids.add(id);
  }

  /** Returns the ids with a value, in the order in which they received it. */
  ids(key: K): ReadonlySet<string> {
    return this.#ids.get(key) ?? NO_IDS;
  }

  /** Returns the ids with each of several values. The cost grows with the smaller number of values: given or existing. */
  idsOfAll(keys: ReadonlySet<K>): readonly ReadonlySet<string>[] {
    if (keys.size <= this.#ids.size) return Array.from(keys, (key) => this.ids(key));
    return [...this.#ids].flatMap(([key, ids]) => (keys.has(key) ? [ids] : []));
  }

  /** Returns the ids that a filter on the value lets through. Null if the filter is null, which excludes nothing. */
  candidates(keys: ReadonlySet<K> | null): readonly ReadonlySet<string>[] | null {
    return keys === null ? null : this.idsOfAll(keys);
  }

  count(key: K): number {
    return this.ids(key).size;
  }

  /** Yields each value with its number of ids. */
  *counts(): Generator<readonly [key: K, count: number]> {
    for (const [key, { size }] of this.#ids) yield [key, size];
  }
}

const NO_IDS: ReadonlySet<string> = new Set();

/**
 * Returns the shortest of several candidate lists, which are sets of ids. Null entries stand for filters that exclude nothing.
 * Returns null if all are null.
 */
export function mostSelective(
  candidates: readonly (readonly ReadonlySet<string>[] | null)[],
): readonly ReadonlySet<string>[] | null {
  let best: readonly ReadonlySet<string>[] | null = null;
  let bestCount = Infinity;
  for (const sets of candidates) {
    if (sets === null) continue;
    const count = sets.reduce((sum, { size }) => sum + size, 0);
    if (count >= bestCount) continue;
    best = sets;
    bestCount = count;
  }
  return best;
}
