/** The newest is known to be in the picture, the oldest to be all there. Milliseconds since the epoch, by the clock of Redis. */
export interface Span {
  /** Everything that any node published until then is in the picture. */
  readonly fromMs: number;
  /** Nothing that was published later is. */
  readonly toMs: number;
}

/**
 * Which revision of this node's store stands for which moment, so that a reader of another node can go on here: revisions
 * are each node's own, and the clock of Redis is everybody's. It says no rather than something that may be wrong.
 */
export class Timeline {
  #entries: Entry[] = [];
  /** Before it, it is not known what was when; `null`: of no moment it is. */
  #floorMs: number | null = null;
  #completeMs: number | null = null;
  #newestMs = -Infinity;

  /** What the picture is made of; `null`: it holds what nobody else knows yet, or may lack something. */
  get span(): Span | null {
    if (this.#completeMs === null || this.#entries.some(({ atMs }) => atMs === null)) return null;
    return { fromMs: this.#completeMs, toMs: Math.max(this.#newestMs, this.#completeMs) };
  }

  /**
   * A revision was made.
   * @param atMs when the change was published; `null`: it is not yet
   */
  noted(revision: number, atMs: number | null): void {
    const last = this.#entries.at(-1);
    if (atMs === null) {
      if (last?.atMs === null && this.#pending() >= MAX_PENDING) last.lastRevision = revision;
      else this.#push({ revision, lastRevision: revision, atMs });
      return;
    }
    this.#newestMs = Math.max(this.#newestMs, atMs);
    if (last != null && last.atMs !== null && Math.abs(atMs - last.atMs) < GRAIN_MS) {
      last.lastRevision = revision;
      last.atMs = Math.max(last.atMs, atMs);
    } else this.#push({ revision, lastRevision: revision, atMs });
  }

  /** Whatever was made here up to a revision has been published by then. */
  published(revision: number, atMs: number): void {
    this.#newestMs = Math.max(this.#newestMs, atMs);
    for (const entry of this.#entries) {
      if (entry.atMs === null && entry.lastRevision <= revision) entry.atMs = atMs;
    }
  }

  /** Everything that was published until then is in the picture. */
  complete(atMs: number): void {
    this.#completeMs = Math.max(this.#completeMs ?? -Infinity, atMs);
    this.#floorMs ??= Math.max(atMs, this.#newestMs);
  }

  /** Something may have come and gone without anybody here knowing. */
  interrupted(): void {
    // What is made here is known here.
    this.#entries = this.#entries.filter((entry) => entry.atMs === null);
    this.#floorMs = null;
    this.#completeMs = null;
  }

  /**
   * Where a reader can go on that has a picture of another node.
   * @param now the newest revision
   * @returns a revision up to which it lacks nothing; `null`: it cannot be told
   */
  revisionAt({ fromMs, toMs }: Span, now: number): number | null {
    if (this.#floorMs === null || this.#completeMs === null) return null;
    // It may have seen what here is yet to come, and may be gone again by then.
    if (fromMs < this.#floorMs || toMs > this.#completeMs) return null;
    const later = this.#entries.find(({ atMs }) => atMs === null || atMs > fromMs);
    return later === undefined ? now : later.revision - 1;
  }

  #pending(): number {
    return this.#entries.reduce((count, { atMs }) => count + (atMs === null ? 1 : 0), 0);
  }

  #push(entry: Entry): void {
    this.#entries.push(entry);
    if (this.#entries.length <= MAX_ENTRIES) return;
    const dropped = this.#entries.shift();
    if (dropped !== undefined && this.#floorMs !== null) {
      this.#floorMs = Math.max(this.#floorMs, dropped.atMs ?? this.#newestMs);
    }
  }
}

interface Entry {
  /** The first of those that it stands for. */
  readonly revision: number;
  lastRevision: number;
  /** The latest of them; `null`: one is not published yet. */
  atMs: number | null;
}

/** Changes so close to one another are one entry. */
const GRAIN_MS = 50;
/** Above, those that are not published are one entry: Redis may be away for long. */
const MAX_PENDING = 16;
/** Some minutes of steady change. */
const MAX_ENTRIES = 4_096;
