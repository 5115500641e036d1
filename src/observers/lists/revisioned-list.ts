/** Number of removed ids that are remembered, so that later answers contain the removals. */
const MAX_TOMBSTONES = 10_000;

/** Entries that have changed since a revision. */
export interface ListChanges<T> {
  readonly entries: readonly T[];
  readonly removedIds: readonly string[];
  /** Whether the changes are all entries instead, because the removals since that revision are not known. */
  readonly isComplete: boolean;
}

interface Entry<T> {
  readonly value: T;
  /** Text of the value, by which a change is noticed. */
  readonly text: string;
  readonly revision: number;
}

/**
 * Entries of one kind with the revision of their last change. A reader passes the revision that it knows and receives what has
 * changed since, however long ago that was.
 */
export class RevisionedList<T extends { readonly id: string }> {
  readonly #entries = new Map<string, Entry<T>>();
  readonly #removed = new Map<string, number>();
  /** Removals up to this revision are not all known. */
  #horizon = 0;

  get size(): number {
    return this.#entries.size;
  }

  get(id: string): T | null {
    return this.#entries.get(id)?.value ?? null;
  }

  values(): readonly T[] {
    return [...this.#entries.values()].map(({ value }) => value);
  }

  /** Returns whether the value differs from the one with the same id. */
  set(value: T, revision: number): boolean {
    const text = JSON.stringify(value);
    if (this.#entries.get(value.id)?.text === text) return false;
    this.#entries.set(value.id, { value, text, revision });
    this.#removed.delete(value.id);
    return true;
  }

  /** Returns whether there was such an entry. */
  remove(id: string, revision: number): boolean {
    if (!this.#entries.delete(id)) return false;
    this.#removed.delete(id);
    this.#removed.set(id, revision);
    for (const [oldest, removedAt] of this.#removed) {
      if (this.#removed.size <= MAX_TOMBSTONES) break;
      this.#removed.delete(oldest);
      this.#horizon = removedAt;
    }
    return true;
  }

  /** @param revision revision that the reader knows; null for none */
  changesSince(revision: number | null): ListChanges<T> {
    if (revision === null || revision < this.#horizon) {
      return { entries: this.values(), removedIds: [], isComplete: true };
    }
    const entries: T[] = [];
    for (const entry of this.#entries.values()) if (entry.revision > revision) entries.push(entry.value);
    const removedIds = [...this.#removed].filter(([, removedAt]) => removedAt > revision).map(([id]) => id);
    return { entries, removedIds, isComplete: false };
  }
}
