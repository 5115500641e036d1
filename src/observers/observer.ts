import { realpath, stat } from 'node:fs/promises';
import { isAbsolute, join, relative, sep } from 'node:path';
import type { InputProblem } from '../observer-format/index.js';
import { type Clock, errorMessage, isAborted, isoTimestamp, type Logger, sleep } from '../shared/index.js';
import { DirectoryWatches } from './files/directory-watches.js';
import { readDocument } from './files/document-file.js';
import { type FileStats, findFiles, type FoundFiles, isMissing, toFileStats } from './files/find-files.js';
import { type InputProblemKind, InputProblems } from './files/input-problems.js';
import { LogFile } from './files/log-file.js';
import { matchPath, parsePatterns, type PatternNode } from './files/path-pattern.js';
import { textAt } from './input/json-fields.js';
import { ReadQueue } from './files/read-queue.js';
import { StateIndex, type StoredLog } from './files/state-index.js';
import { ObservedLists } from './lists/observed-lists.js';
import type { FileUse, ProcessTable, Source, SourceSessions } from './source.js';

/** Time in milliseconds between two searches for new files. */
const SEARCH_INTERVAL_MS = 30_000;
/** Maximum share of time that searches may take. */
const MAX_SEARCH_SHARE = 0.0025;
/** Time in milliseconds between two checks of the files that have changed lately, and of the processes. */
const CHECK_INTERVAL_MS = 2_000;
/** Delay in milliseconds between a change and its publication, because changes rarely come alone. */
const PUBLISH_DELAY_MS = 15;
/** Time in milliseconds between two writes of the index. */
const SAVE_INTERVAL_MS = 60_000;
/** Time in milliseconds after the first reading at which large files begin to be read completely. */
const COMPLETION_DELAY_MS = 1_000;
/** Number of files that are read at the same time. */
const MAX_PARALLEL_READS = 4;
/** Number of files that are followed. The newest ones are preferred. */
const MAX_TRACKED_FILES = 30_000;
/** Number of the newest files that are checked between two searches. */
const MAX_CHECKED_FILES = 64;

export interface ObserverOptions {
  readonly source: Source;
  /** Real path of the directory in which the observed program keeps its files. It need not exist yet. */
  readonly root: string;
  /** Path under which the observed program knows the directory, which differs from the real one behind symbolic links. */
  readonly givenRoot: string;
  /** Sessions without a change for this time in milliseconds are not read. */
  readonly maxAgeMs: number;
  /** Path of the index of states. Null to store nothing. */
  readonly indexFile: string | null;
  /** Identity of this version and its options, which the stored states depend on. */
  readonly reader: string;
  readonly processes: ProcessTable;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Text that differs from that of every other run. */
  readonly epoch: string;
}

interface TrackedFile {
  readonly path: string;
  readonly use: FileUse;
  /** Follower of a log file. Null for a document. */
  readonly log: LogFile | null;
  /** Whether a complete state of the log is in the index, or will be. */
  isStored: boolean;
  stats: FileStats;
}

/**
 * Observes the files of one program: finds them, follows them, and publishes the agents, tasks and messages that its source
 * describes. Never writes to the observed directory.
 */
export class Observer implements AsyncDisposable {
  readonly lists: ObservedLists;
  /** Resolves when all recent sessions have been read for the first time. */
  readonly ready: Promise<void>;
  readonly #options: ObserverOptions;
  readonly #patterns: PatternNode;
  readonly #problems: InputProblems;
  readonly #sessions: SourceSessions;
  readonly #index: StateIndex;
  readonly #files = new Map<string, TrackedFile>();
  readonly #reads: ReadQueue;
  readonly #abort = new AbortController();
  readonly #loops: readonly Promise<void>[];
  #watches: DirectoryWatches | null = null;
  #newest: readonly string[] = [];
  #stored = new Map<string, StoredLog>();
  #publication: Disposable | null = null;
  #completion: Promise<boolean> | null = null;
  #hasUnsavedStates = false;
  #wakeSearch: () => void = () => undefined;
  #isSearchWanted = false;
  #lastSearch: Promise<void> = Promise.resolve();
  /** Whether the observed directory does not exist. */
  #isMissing = false;

  constructor(options: ObserverOptions) {
    const { source, logger, indexFile, reader, clock } = options;
    this.#options = options;
    this.lists = new ObservedLists(options.epoch);
    this.#patterns = parsePatterns(source.patterns);
    this.#problems = new InputProblems(logger);
    this.#sessions = source.createSessions();
    this.#index = new StateIndex({
      file: indexFile,
      reader: `${reader} ${source.name} ${source.stateVersion}`,
      logger,
    });
    this.#reads = new ReadQueue({
      maxParallel: MAX_PARALLEL_READS,
      read: (path) => this.#read(path),
      onFailure: (error, path) => logger.error({ file: path, error: errorMessage(error) }, 'a file could not be read'),
    });
    const { signal } = this.#abort;
    this.ready = this.#begin(signal);
    this.#loops = [
      this.ready.then(() => this.#searchAgain(signal)),
      this.ready.then(() => this.#completeLogs(signal)),
      this.ready.then(() => this.#repeat(clock, CHECK_INTERVAL_MS, signal, () => this.#check())),
      this.ready.then(() => this.#repeat(clock, SAVE_INTERVAL_MS, signal, () => this.#save())),
    ];
  }

  /** Inputs that could not be read. */
  problems(): readonly InputProblem[] {
    return this.#problems.list();
  }

  /** Counts an input of another origin than the files that could not be read. */
  recordProblem(kind: InputProblemKind): void {
    this.#problems.record(kind, '');
  }

  /** Applies an event that a hook of the observed program has sent. Ignores events of sessions in another directory. */
  applyHook(event: unknown): void {
    const { root, givenRoot } = this.#options;
    const transcript = textAt(event, 'transcript_path');
    if (transcript !== null && ![root, givenRoot].some((directory) => isBelow(directory, transcript))) return;
    this.#sessions.applyHook(event, isoTimestamp(this.#options.clock));
    this.#publishSoon();
  }

  /** Resolves when everything that has changed so far is published. */
  async settled(): Promise<void> {
    await this.#search();
    await this.#reads.idle();
    this.#publish();
  }

  /** Reads all large files completely. */
  async completed(): Promise<void> {
    await this.settled();
    while (await this.#completeNext(this.#abort.signal)) await this.#reads.idle();
    this.#publish();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    this.#wakeSearch();
    this.#watches?.[Symbol.dispose]();
    this.#publication?.[Symbol.dispose]();
    await Promise.all(this.#loops);
    await this.#reads.idle();
    await this.#save();
  }

  async #begin(signal: AbortSignal): Promise<void> {
    this.#stored = await this.#index.load();
    this.#sessions.checkProcesses(this.#options.processes);
    await this.#search();
    await this.#reads.idle();
    // Sessions that are live may have changed long ago.
    if (this.#sessions.liveSessions().size > 0) await this.#search();
    await this.#reads.idle();
    // The states of files that were not found are of no use.
    this.#stored.clear();
    if (!signal.aborted) this.#publish();
  }

  async #searchAgain(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    while (!signal.aborted) {
      const startMs = clock.monotonic();
      await this.#search();
      const durationMs = clock.monotonic() - startMs;
      const wake = new AbortController();
      this.#wakeSearch = () => wake.abort();
      // A directory that does not exist cannot be watched.
      const intervalMs = this.#isMissing ? CHECK_INTERVAL_MS : SEARCH_INTERVAL_MS;
      const delayMs = Math.max(intervalMs, durationMs / MAX_SEARCH_SHARE);
      if (!this.#isSearchWanted && !isAborted(signal)) await sleep(clock, delayMs, wake.signal);
      if (isAborted(signal)) return;
      // Several entries usually appear together.
      if (this.#isSearchWanted) await sleep(clock, Math.max(PUBLISH_DELAY_MS, 4 * durationMs), signal);
    }
  }

  async #repeat(clock: Clock, intervalMs: number, signal: AbortSignal, act: () => Promise<void>): Promise<void> {
    while (!signal.aborted) {
      await sleep(clock, intervalMs, signal);
      if (!isAborted(signal)) await act();
    }
  }

  /** Finds new, changed and removed files, one search after the other: a result must not be older than that before. */
  #search(): Promise<void> {
    this.#lastSearch = this.#lastSearch.then(() => this.#searchOnce());
    return this.#lastSearch;
  }

  async #searchOnce(): Promise<void> {
    this.#isSearchWanted = false;
    const found = await this.#find();
    if (this.#abort.signal.aborted) return;
    const recent = this.#selectRecent(found);
    this.#newest = [...recent.keys()].slice(0, MAX_CHECKED_FILES);
    for (const path of [...this.#files.keys()]) if (!recent.has(path)) this.#remove(path);
    // The newest files come first.
    for (const [path, stats] of recent) this.#track(path, stats);
    this.#watch(found.directories, [...recent.keys()]);
    this.#sessions.checkSilence(this.#options.clock.now());
    this.#publishSoon();
  }

  async #find(): Promise<FoundFiles> {
    const { root, logger } = this.#options;
    try {
      const found = await findFiles(root, this.#patterns, this.#problems);
      this.#isMissing = false;
      return found;
    } catch (error) {
      this.#isMissing = isMissing(error);
      if (!this.#isMissing) {
        this.#problems.record('unreadable-directory', '');
        logger.debug({ root, error: errorMessage(error) }, 'the observed directory cannot be read');
      }
      return { files: [], directories: [] };
    }
  }

  /** Returns the files of the sessions that are live or have changed lately, and the documents that belong to no session. */
  #selectRecent({ files }: FoundFiles): Map<string, FileStats> {
    const { source, clock, maxAgeMs } = this.#options;
    const uses = files.flatMap(({ path, stats }) => {
      const use = source.classify(path);
      return use === null ? [] : [{ path, stats, use }];
    });
    const changedAt = new Map<string, number>();
    for (const { use, stats } of uses) {
      if (use.session === null || use.read !== 'log') continue;
      changedAt.set(use.session, Math.max(changedAt.get(use.session) ?? 0, stats.modifiedAtMs));
    }
    const live = this.#sessions.liveSessions();
    const oldestMs = clock.now() - maxAgeMs;
    const recent = uses.filter(({ use: { session, read }, stats }) => {
      if (session === null) return read === 'document' || stats.modifiedAtMs >= oldestMs;
      return live.has(session) || (changedAt.get(session) ?? stats.modifiedAtMs) >= oldestMs;
    });
    recent.sort((a, b) => b.stats.modifiedAtMs - a.stats.modifiedAtMs);
    this.#problems.set('too-many-files', Math.max(0, recent.length - MAX_TRACKED_FILES), '');
    return new Map(recent.slice(0, MAX_TRACKED_FILES).map(({ path, stats }) => [path, stats]));
  }

  #track(path: string, stats: FileStats): void {
    const { source, root } = this.#options;
    const known = this.#files.get(path);
    if (known !== undefined) {
      const isSame =
        known.stats.size === stats.size &&
        known.stats.modifiedAtMs === stats.modifiedAtMs &&
        known.stats.inode === stats.inode;
      if (!isSame) this.#reads.add(path);
      return;
    }
    const use = source.classify(path);
    if (use === null) return;
    const stored = this.#stored.get(path) ?? null;
    const log = use.read === 'log' ? new LogFile(root, path, { source, problems: this.#problems }, stored) : null;
    this.#files.set(path, { path, use, log, stats, isStored: stored !== null });
    this.#reads.add(path);
  }

  #remove(path: string): void {
    this.#files.delete(path);
    this.#sessions.removeFile(path);
    this.#publishSoon();
  }

  /** Watches the directories of the newest files, and all directories on the way to them. */
  #watch(directories: readonly string[], newestFirst: readonly string[]): void {
    const parents = new Set<string>();
    for (const path of newestFirst) parents.add(path.slice(0, Math.max(0, path.lastIndexOf('/'))));
    const others = directories.filter((directory) => !parents.has(directory));
    // New sessions appear in directories near the root.
    others.sort((a, b) => a.split('/').length - b.split('/').length);
    const near = others.filter((directory) => directory.split('/').length <= 1);
    this.#watches ??= new DirectoryWatches({
      root: this.#options.root,
      onChange: (path) => this.#handleChange(path),
      onUnavailable: (directory) => this.#problems.record('unwatched-directory', directory),
    });
    // What has changed in a directory before it was watched is found by another search.
    if (this.#watches.set([...near, ...parents, ...others])) this.#wantSearch();
  }

  #handleChange(path: string): void {
    if (this.#files.has(path)) {
      this.#reads.add(path);
      return;
    }
    if (matchPath(this.#patterns, path) !== null) this.#wantSearch();
  }

  #wantSearch(): void {
    this.#isSearchWanted = true;
    this.#wakeSearch();
  }

  /** Checks the files that have changed lately, because not every file system reports changes. */
  async #check(): Promise<void> {
    const { root, processes } = this.#options;
    for (const file of this.#newest.flatMap((path) => this.#files.get(path) ?? [])) {
      const stats = await stat(join(root, file.path)).then(toFileStats, () => null);
      if (stats?.size !== file.stats.size || stats.modifiedAtMs !== file.stats.modifiedAtMs) {
        this.#reads.add(file.path);
      }
    }
    this.#sessions.checkProcesses(processes);
    this.#publishSoon();
  }

  async #read(path: string): Promise<void> {
    const file = this.#files.get(path);
    if (file === undefined || this.#abort.signal.aborted) return;
    try {
      if (file.log === null) await this.#readDocument(file);
      else await this.#readLog(file, file.log);
    } catch (error) {
      if (isMissing(error)) {
        if (this.#files.get(path) === file) this.#remove(path);
      } else this.#problems.record('unreadable-file', path);
    }
    this.#publishSoon();
  }

  async #readLog(file: TrackedFile, log: LogFile): Promise<void> {
    const isOwn = await log.refresh(this.#abort.signal);
    if (!isOwn) this.#problems.record('foreign-file', file.path);
    this.#setLog(file, log);
  }

  #setLog(file: TrackedFile, log: LogFile): void {
    const read = log.toReadLog();
    // The file may have been removed meanwhile.
    if (read === null || this.#files.get(file.path) !== file) return;
    if (log.stats !== null) file.stats = log.stats;
    if (log.isComplete && !file.isStored) {
      file.isStored = true;
      this.#hasUnsavedStates = true;
    }
    this.#sessions.setLog(file.path, read);
  }

  async #readDocument(file: TrackedFile): Promise<void> {
    const location = join(this.#options.root, file.path);
    const stats = toFileStats(await stat(location));
    const reading = await readDocument(location);
    if (this.#files.get(file.path) !== file) return;
    file.stats = stats;
    if (reading.kind === 'large') this.#problems.record('large-document', file.path);
    else if (reading.kind === 'foreign') this.#problems.record('foreign-file', file.path);
    else if (reading.kind === 'malformed' || !this.#sessions.setDocument(file.path, reading.value)) {
      // An empty file is being written.
      if (stats.size > 0) this.#problems.record('malformed-document', file.path);
    }
  }

  async #completeLogs(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    // The first answers come before numbers that may come later.
    await sleep(clock, COMPLETION_DELAY_MS, signal);
    while (!signal.aborted) {
      const hasMore = await this.#completeNext(signal);
      if (!hasMore) await sleep(clock, CHECK_INTERVAL_MS, signal);
    }
  }

  /** Reads the newest large file completely, one at a time. Returns whether there was one. */
  #completeNext(signal: AbortSignal): Promise<boolean> {
    this.#completion ??= this.#completeNewest(signal).finally(() => (this.#completion = null));
    return this.#completion;
  }

  async #completeNewest(signal: AbortSignal): Promise<boolean> {
    let next: { readonly file: TrackedFile; readonly log: LogFile } | null = null;
    for (const file of this.#files.values()) {
      const { log, stats } = file;
      const isNewer = next === null || stats.modifiedAtMs > next.file.stats.modifiedAtMs;
      if (log?.stats != null && !log.isComplete && isNewer) next = { file, log };
    }
    if (next === null) return false;
    const { file, log } = next;
    try {
      await log.complete(signal);
    } catch (error) {
      if (!isMissing(error)) this.#problems.record('unreadable-file', file.path);
      return false;
    }
    if (!log.isComplete) return false;
    this.#setLog(file, log);
    // Lines may have been appended meanwhile.
    this.#reads.add(file.path);
    this.#publishSoon();
    return true;
  }

  #publishSoon(): void {
    if (this.#publication !== null || this.#abort.signal.aborted) return;
    this.#publication = this.#options.clock.schedule(PUBLISH_DELAY_MS, () => {
      this.#publication = null;
      this.#publish();
    });
  }

  #publish(): void {
    this.#problems.set('colliding-id', this.#sessions.collisions, '');
    this.lists.apply(this.#sessions.takeChanges(this.#options.clock.now()));
  }

  *#storedStates(): Generator<readonly [string, StoredLog]> {
    for (const { path, log } of [...this.#files.values()]) {
      const stored = log?.toStored() ?? null;
      if (stored !== null) yield [path, stored];
    }
  }

  async #save(): Promise<void> {
    if (!this.#hasUnsavedStates) return;
    this.#hasUnsavedStates = false;
    await this.#index.save(this.#storedStates());
  }
}

function isBelow(directory: string, path: string): boolean {
  const below = relative(directory, path);
  return below !== '..' && !below.startsWith(`..${sep}`) && !isAbsolute(below);
}

/** Returns the real path of a directory. The path itself if the directory does not exist. */
export function resolveRoot(root: string): Promise<string> {
  return realpath(root).catch(() => root);
}
