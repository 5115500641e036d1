/** The newest is known to be in the picture, the oldest to be all there. Milliseconds since the epoch, by the clock of Redis. */
export interface TimeBounds {
  /** Everything that any node published until then is in the picture. */
  readonly completeUntilMs: number;
  /** Nothing that was published later is. */
  readonly newestMs: number;
}

/**
 * Which revision of this node's store stands for which moment, so that a reader of another node can go on here: revisions
 * are each node's own, and the clock of Redis is everybody's. It says no rather than something that may be wrong.
 */
export class RevisionTimeline {
  #entries: TimelineEntry[] = [];
  /** Those of them that are not published yet. */
  #pending: TimelineEntry[] = [];
  /** Before it, it is not known what was when; `null`: of no moment it is. */
  #floorMs: number | null = null;
  #completeMs: number | null = null;
  #newestMs = -Infinity;

  /** What the picture is made of; `null`: it holds what nobody else knows yet, or may lack something. */
  get bounds(): TimeBounds | null {
    if (this.#completeMs === null || this.#pending.length > 0) return null;
    return { completeUntilMs: this.#completeMs, newestMs: Math.max(this.#newestMs, this.#completeMs) };
  }

  /**
   * A change has made a revision.
   * @param atMs when it was published; `null`: it is not yet
   */
  recordRevision(
    revision: number,
    { serverId, publishedAtMs }: { readonly serverId: string; readonly publishedAtMs: number | null },
  ): void {
    const entry = { revision, lastRevision: revision, serverId, atMs: publishedAtMs };
    if (publishedAtMs === null) {
      const pending = this.#pending.filter((one) => one.serverId === serverId);
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
    if (last != null && last.atMs !== null && Math.abs(publishedAtMs - last.atMs) < GRAIN_MS) {
      last.atMs = Math.max(last.atMs, publishedAtMs);
    } else this.#push(entry);
  }

  /** Whatever was changed here of a server, up to a revision, has been published by then. */
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

  /** Everything that was published until then is in the picture. */
  markComplete(atMs: number): void {
    this.#completeMs = Math.max(this.#completeMs ?? -Infinity, atMs);
    this.#floorMs ??= Math.max(atMs, this.#newestMs);
  }

  /**
   * Something may have come and gone without anybody here knowing.
   * @param isHeld whether what is made here of a server is still to be published
   */
  markGap(isHeld: (serverId: string) => boolean): void {
    this.#pending = this.#pending.filter(({ serverId }) => isHeld(serverId));
    this.#entries = [...this.#pending];
    this.#floorMs = null;
    this.#completeMs = null;
  }

  /**
   * Where a reader can go on that has a picture of another node.
   * @param now the newest revision
   * @returns a revision up to which it lacks nothing; `null`: it cannot be told
   */
  revisionAt({ completeUntilMs, newestMs }: TimeBounds, now: number): number | null {
    if (this.#floorMs === null || this.#completeMs === null) return null;
    // It may have seen what here is yet to come, and may be gone again by then.
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
  /** The first of those that it stands for. */
  readonly revision: number;
  /** Where it is not published yet: the last, of the one server. */
  lastRevision: number;
  readonly serverId: string;
  /** The latest of them; `null`: not published yet. */
  atMs: number | null;
}

/** Changes so close to one another are one entry. */
const GRAIN_MS = 50;
/** Of one server; above, those that are not published are one entry: Redis may be away for long. */
const MAX_PENDING = 16;
/** Some minutes of steady change. */
const MAX_ENTRIES = 4_096;
