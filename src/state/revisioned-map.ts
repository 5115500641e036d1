/**
 * Map whose entries carry revisions, in the order of their last change. A removed entry leaves a tombstone. Above the maximum
 * number of tombstones the oldest are dropped, and the horizon advances.
 */
export class RevisionedMap<V, K> {
  readonly #records = new Map<string, RevisionedRecord<V, K>>();
  /** Tombstones in the order of removal: restored records are deleted, removed records are appended. */
  readonly #tombstones = new Map<string, RevisionedRecord<V, K>>();
  /** Iterator that continues after the tombstones that were dropped. A new one would skip their places each time. */
  #oldestTombstones = this.#tombstones.values();
  readonly #toKey: (value: V) => K;
  readonly #keysEqual: (a: K, b: K) => boolean;
  readonly #maxTombstones: number;
  #newest: RevisionedRecord<V, K> | null = null;
  #horizon = 0;
  #keyRevision = 0;
  #size = 0;

  constructor(options: RevisionedMapOptions<V, K>) {
    this.#toKey = options.toKey;
    this.#keysEqual = options.keysEqual;
    this.#maxTombstones = options.maxTombstones;
  }

  /** Number of entries without tombstones. */
  get size(): number {
    return this.#size;
  }

  /** Oldest revision for which all later removals are known. A reader at an older revision needs a snapshot. */
  get horizon(): number {
    return this.#horizon;
  }

  /** Revision of the last change of any entry. */
  get revision(): number {
    return this.#newest?.revision ?? 0;
  }

  /** Revision at which an entry was last added or removed, or changed its filter key. */
  get keyRevision(): number {
    return this.#keyRevision;
  }

  /** Returns the record of an entry or of its tombstone. */
  record(id: string): RevisionedRecord<V, K> | undefined {
    return this.#records.get(id);
  }

  get(id: string): V | undefined {
    return this.#records.get(id)?.value ?? undefined;
  }

  /** Yields all values in the order in which they were first added. */
  *values(): Generator<V> {
    for (const record of this.#records.values()) if (record.value !== null) yield record.value;
  }

  /** Returns all records, including tombstones. */
  records(): IterableIterator<RevisionedRecord<V, K>> {
    return this.#records.values();
  }

  /** Yields records that changed after `revision`, newest first, including tombstones. Does not visit unchanged records. */
  *changedSince(revision: number): Generator<RevisionedRecord<V, K>> {
    for (let record = this.#newest; record !== null && record.revision > revision; record = record.older) yield record;
  }

  put(id: string, value: V, revision: number): RevisionedRecord<V, K> {
    let record = this.#records.get(id);
    if (record === undefined) {
      record = new RevisionedRecord<V, K>(id);
      this.#records.set(id, record);
    } else {
      this.#unlink(record);
    }
    if (record.value === null) {
      this.#size += 1;
      this.#tombstones.delete(id);
    }
    const key = this.#toKey(value);
    const last = record.history.at(-1)?.key ?? null;
    if (last === null || !this.#keysEqual(last, key)) this.#remember(record, { revision, key });
    record.value = value;
    this.#link(record, revision);
    return record;
  }

  /** Removes an entry and leaves a tombstone. Does nothing if there is no entry with the id. */
  remove(id: string, revision: number): void {
    const record = this.#records.get(id);
    if (record === undefined || record.value === null) return;
    this.#unlink(record);
    record.value = null;
    record.fieldRevisions = [];
    this.#size -= 1;
    this.#remember(record, { revision, key: null });
    this.#link(record, revision);
    this.#tombstones.set(id, record);
    this.#evict();
  }

  #remember(record: RevisionedRecord<V, K>, entry: HistoryEntry<K>): void {
    const { history, evictedKeys } = record;
    this.#keyRevision = entry.revision;
    history.push(entry);
    if (history.length <= MAX_HISTORY) return;
    const key = history.shift()?.key ?? null;
    if (key === null || evictedKeys.some((evicted) => this.#keysEqual(evicted, key))) return;
    evictedKeys.push(key);
    if (evictedKeys.length <= MAX_HISTORY) return;
    evictedKeys.length = 0;
    this.#horizon = Math.max(this.#horizon, history[0]?.revision ?? 0);
  }

  #evict(): void {
    while (this.#tombstones.size > this.#maxTombstones) {
      let oldest = this.#oldestTombstones.next();
      if (oldest.done === true) {
        this.#oldestTombstones = this.#tombstones.values();
        oldest = this.#oldestTombstones.next();
      }
      if (oldest.done === true) return;
      this.#tombstones.delete(oldest.value.id);
      this.#records.delete(oldest.value.id);
      this.#unlink(oldest.value);
      this.#horizon = Math.max(this.#horizon, oldest.value.revision);
    }
  }

  #link(record: RevisionedRecord<V, K>, revision: number): void {
    record.revision = revision;
    record.older = this.#newest;
    record.newer = null;
    if (this.#newest !== null) this.#newest.newer = record;
    this.#newest = record;
  }

  #unlink(record: RevisionedRecord<V, K>): void {
    if (record.newer === null) this.#newest = record.older;
    else record.newer.older = record.older;
    if (record.older !== null) record.older.newer = record.newer;
    record.newer = null;
    record.older = null;
  }
}

/**
 * Maximum number of history entries per record, and of distinct evicted keys before the horizon advances. Bounds the memory
 * that a frequently added and removed entry uses, and limits its effect to its own readers.
 */
const MAX_HISTORY = 32;

export interface RevisionedMapOptions<V, K> {
  /** Returns the filter key of a value. Past keys are kept so that readers receive what left their view. */
  readonly toKey: (value: V) => K;
  readonly keysEqual: (a: K, b: K) => boolean;
  readonly maxTombstones: number;
}

interface HistoryEntry<K> {
  readonly revision: number;
  /** Null from the revision at which the entry was removed. */
  readonly key: K | null;
}

/** Entry of a `RevisionedMap`, or its tombstone. */
export class RevisionedRecord<V, K> {
  readonly id: string;
  /** Null for a tombstone. */
  value: V | null = null;
  /** Revision of the last change. */
  revision = 0;
  /** Revision of the last change of each field, maintained by the owner of the map. Empty if it maintains none. */
  fieldRevisions: number[] = [];
  readonly history: HistoryEntry<K>[] = [];
  /** Filter keys from before the oldest entry of `history`. */
  readonly evictedKeys: K[] = [];
  newer: RevisionedRecord<V, K> | null = null;
  older: RevisionedRecord<V, K> | null = null;

  constructor(id: string) {
    this.id = id;
  }

  /** Revision at which the entry was last added or removed, or changed its filter key. */
  get keyRevision(): number {
    return this.history.at(-1)?.revision ?? 0;
  }

  /** Returns the filter key at `revision`, or the possible keys if it is no longer known. */
  keysAt(revision: number): PastKeys<K> {
    for (let index = this.history.length - 1; index >= 0; index -= 1) {
      const entry = this.history[index];
      if (entry !== undefined && entry.revision <= revision) {
        return { exact: true, keys: entry.key === null ? [] : [entry.key] };
      }
    }
    return { exact: this.evictedKeys.length === 0, keys: this.evictedKeys };
  }

  /** Returns the filter key at `revision`, or every key that the entry had then or later if it changed its key. */
  keysSince(revision: number): PastKeys<K> {
    const past = this.keysAt(revision);
    if (this.keyRevision <= revision) return past;
    const later = this.history.flatMap((entry) => (entry.revision > revision && entry.key !== null ? [entry.key] : []));
    return { exact: false, keys: [...past.keys, ...later] };
  }
}

export interface PastKeys<K> {
  /** Whether `keys` is exact: one key, or none if the entry was absent. Otherwise the entry may have had any of them, or none. */
  readonly exact: boolean;
  readonly keys: readonly K[];
}
