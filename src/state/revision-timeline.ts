/** Time bounds of a snapshot, in milliseconds since the epoch by the Redis clock. */
export interface TimeBounds {
  /** Everything published up to this time is included. */
  readonly completeUntilMs: number;
  /** Nothing published after this time is included. */
  readonly newestMs: number;
}

/**
 * Maps revisions of this node's store to Redis time, so that a reader of another node can resume here. Revisions are local to
 * a node, and the Redis clock is shared by all nodes. Returns null instead of a revision that may be wrong.
 */
export class RevisionTimeline {
  #entries: TimelineEntry[] = [];
  /** Entries that are not published yet. */
  #pending: TimelineEntry[] = [];
  /** Time from which the mapping is known. Null if it is unknown. */
  #floorMs: number | null = null;
  #completeMs: number | null = null;
  #newestMs = -Infinity;

  /** Time bounds of the store. Null if the store has unpublished changes or may lack changes. */
  get bounds(): TimeBounds | null {
    if (this.#completeMs === null || this.#pending.length > 0) return null;
    return { completeUntilMs: this.#completeMs, newestMs: Math.max(this.#newestMs, this.#completeMs) };
  }

  /** Records a new revision. `publishedAtMs` is null if the change is not published yet. */
  recordRevision(
    revision: number,
    { serverId, publishedAtMs }: { readonly serverId: string; readonly publishedAtMs: number | null },
  ): void {
    const entry = { revision, lastRevision: revision, serverId, atMs: publishedAtMs };
    if (publishedAtMs === null) {
      const pending = this.#pending.filter((pendingEntry) => pendingEntry.serverId === serverId);
      const last = pending.length >= MAX_PENDING ? pending.at(-1) : undefined;
      if (last !== undefined) last.lastRevision = revision;
      else {
        this.#pending.push(entry);
        this.#push(entry);
      }
      return;
    }
    this.#newestMs = Math.max(this.#newestMs, publishedAtMs);
    const last = this.#entries.at(-1);
    if (last != null && last.atMs !== null && Math.abs(publishedAtMs - last.atMs) < RESOLUTION_MS) {
      last.atMs = Math.max(last.atMs, publishedAtMs);
    } else this.#push(entry);
  }

  /** Records that the local changes of a server up to a revision were published at a time. */
  markPublished({
    serverId,
    revision,
    atMs,
  }: {
    readonly serverId: string;
    readonly revision: number;
    readonly atMs: number;
  }): void {
    this.#newestMs = Math.max(this.#newestMs, atMs);
    this.#pending = this.#pending.filter((entry) => {
      if (entry.serverId !== serverId || entry.lastRevision > revision) return true;
      entry.atMs = atMs;
      return false;
    });
  }

  /** Records that everything published up to a time is included. */
  markComplete(atMs: number): void {
    this.#completeMs = Math.max(this.#completeMs ?? -Infinity, atMs);
    this.#floorMs ??= Math.max(atMs, this.#newestMs);
  }

  /**
   * Records that changes may have been lost. Keeps only the unpublished entries.
   * @param isHeld whether this node owns a server, and will publish its changes
   */
  markGap(isHeld: (serverId: string) => boolean): void {
    this.#pending = this.#pending.filter(({ serverId }) => isHeld(serverId));
    this.#entries = [...this.#pending];
    this.#floorMs = null;
    this.#completeMs = null;
  }

  /**
   * Returns the revision from which a reader of another node can resume. Null if it is unknown.
   * @param now newest revision
   */
  revisionAt({ completeUntilMs, newestMs }: TimeBounds, now: number): number | null {
    if (this.#floorMs === null || this.#completeMs === null) return null;
    // The reader may have received changes that this node does not have yet, and that may be reverted until then.
    if (completeUntilMs < this.#floorMs || newestMs > this.#completeMs) return null;
    const later = this.#entries.find(({ atMs }) => atMs === null || atMs > completeUntilMs);
    return later === undefined ? now : later.revision - 1;
  }

  #push(entry: TimelineEntry): void {
    this.#entries.push(entry);
    if (this.#entries.length <= MAX_ENTRIES) return;
    const dropped = this.#entries.shift();
    if (dropped !== undefined && this.#floorMs !== null) {
      this.#floorMs = Math.max(this.#floorMs, dropped.atMs ?? this.#newestMs);
    }
  }
}

interface TimelineEntry {
  /** First revision of the entry. */
  readonly revision: number;
  /** Last revision of the entry, if the entry is not published yet. */
  lastRevision: number;
  readonly serverId: string;
  /** Latest time of publication. Null if the entry is not published yet. */
  atMs: number | null;
}

/** Changes within this time share one entry. */
const RESOLUTION_MS = 50;
/** Maximum number of unpublished entries per server. Further ones are merged, because Redis may be unavailable for long. */
const MAX_PENDING = 16;
/** Maximum number of entries: some minutes of continuous change. */
const MAX_ENTRIES = 4_096;
