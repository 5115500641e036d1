/**
 * Revisioned records of one kind of thing, in the order of their last change. A removed thing stays as a tombstone
 * until there are too many of them; what is older than the oldest tombstone left can no longer be told apart.
 */
export class RevisionedMap<V, K> {
  readonly #records = new Map<string, RevisionedRecord<V, K>>();
  /** Insertion order is the order of removal, because a revived record leaves and a removed one comes last. */
  readonly #tombstones = new Map<string, RevisionedRecord<V, K>>();
  readonly #keyOf: (value: V) => K;
  readonly #sameKey: (a: K, b: K) => boolean;
  readonly #maxTombstones: number;
  #newest: RevisionedRecord<V, K> | null = null;
  #horizon = 0;
  #keyRevision = 0;
  #size = 0;

  constructor(options: RevisionedMapOptions<V, K>) {
    this.#keyOf = options.keyOf;
    this.#sameKey = options.sameKey;
    this.#maxTombstones = options.maxTombstones;
  }

  /** Things that are there, tombstones not counted. */
  get size(): number {
    return this.#size;
  }

  /** A reader that stands before this revision cannot be told all that was removed since: it needs a snapshot. */
  get horizon(): number {
    return this.#horizon;
  }

  /** Of the last change of anything. */
  get revision(): number {
    return this.#newest?.revision ?? 0;
  }

  /** When something last came, left, or became something else to filters. */
  get keyRevision(): number {
    return this.#keyRevision;
  }

  /** The record of a thing or of its tombstone. */
  record(id: string): RevisionedRecord<V, K> | undefined {
    return this.#records.get(id);
  }

  get(id: string): V | undefined {
    return this.#records.get(id)?.value ?? undefined;
  }

  /** Everything that is there, in the order in which it first came. */
  *values(): Generator<V> {
    for (const record of this.#records.values()) if (record.value !== null) yield record.value;
  }

  /** All records, tombstones included. */
  records(): IterableIterator<RevisionedRecord<V, K>> {
    return this.#records.values();
  }

  /** Records that changed after `revision`, newest first, tombstones included. Costs nothing for those that did not. */
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
    const key = this.#keyOf(value);
    const last = record.history.at(-1)?.key ?? null;
    if (last === null || !this.#sameKey(last, key)) this.#remember(record, { revision, key });
    record.value = value;
    this.#link(record, revision);
    return record;
  }

  /** Leaves a tombstone. Does nothing when there is nothing of that id. */
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
    if (key === null || evictedKeys.some((known) => this.#sameKey(known, key))) return;
    evictedKeys.push(key);
    if (evictedKeys.length <= MAX_HISTORY) return;
    evictedKeys.length = 0;
    this.#horizon = Math.max(this.#horizon, history[0]?.revision ?? 0);
  }

  #evict(): void {
    while (this.#tombstones.size > this.#maxTombstones) {
      const oldest = this.#tombstones.values().next();
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
 * How often a thing may come, go and change its key before it is no longer known when it was what, and among how many
 * keys it may do so before its readers get a snapshot. A server that flaps must not cost memory, and no reader more
 * than the thing that flaps.
 */
const MAX_HISTORY = 32;

export interface RevisionedMapOptions<V, K> {
  /** What filters look at. Kept for each past revision, so that a reader can be told what left its view. */
  readonly keyOf: (value: V) => K;
  readonly sameKey: (a: K, b: K) => boolean;
  readonly maxTombstones: number;
}

interface HistoryEntry<K> {
  readonly revision: number;
  /** `null`: from here on it was not there. */
  readonly key: K | null;
}

export class RevisionedRecord<V, K> {
  readonly id: string;
  /** `null`: a tombstone. */
  value: V | null = null;
  /** Of the last change. */
  revision = 0;
  /** Of the last change of each field, where the ledger's owner keeps them. */
  fieldRevisions: number[] = [];
  readonly history: HistoryEntry<K>[] = [];
  /** Keys it had before the oldest entry of `history`. */
  readonly evictedKeys: K[] = [];
  newer: RevisionedRecord<V, K> | null = null;
  older: RevisionedRecord<V, K> | null = null;

  constructor(id: string) {
    this.id = id;
  }

  /** When it came, left, or became something else to filters. */
  get keyRevision(): number {
    return this.history.at(-1)?.revision ?? 0;
  }

  /** What filters may have seen of it at one time or another. */
  allPastKeys(): PastKeys<K> {
    const keys = this.history.flatMap(({ key }) => (key === null ? [] : [key]));
    return { exact: false, keys: [...this.evictedKeys, ...keys] };
  }

  /** What filters would have seen at `revision`. */
  keysAt(revision: number): PastKeys<K> {
    for (let index = this.history.length - 1; index >= 0; index -= 1) {
      const entry = this.history[index];
      if (entry !== undefined && entry.revision <= revision) {
        return { exact: true, keys: entry.key === null ? [] : [entry.key] };
      }
    }
    return { exact: this.evictedKeys.length === 0, keys: this.evictedKeys };
  }
}

export interface PastKeys<K> {
  /** It had the one key, or was not there when there is none; otherwise it may have had any of the keys, or none. */
  readonly exact: boolean;
  readonly keys: readonly K[];
}
