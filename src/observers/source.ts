import type {
  ObservedAgent,
  ObservedMessage,
  ObservedSource,
  ObservedSwarm,
  ObservedTask,
} from '../observer-format/index.js';
import type { ShownText } from './input/shown-text.js';
import type { PriceList } from './prices/price-list.js';

/**
 * Program whose files are observed. A source only translates: paths to kinds of files, records to states, and states to agents.
 * Following the files, remembering states, and serving the result are common to all sources.
 */
export interface Source {
  readonly name: ObservedSource;
  /** Version of the states of log files. Stored states of another version are read again. */
  readonly stateVersion: number;
  /** Patterns of the files below the root that are read. A star stands for one name or a part of it. */
  readonly patterns: readonly string[];
  /** Returns how a file is read, by its path below the root with slashes. Null if it is of no use. */
  classify(path: string): FileUse | null;
  /** Creates the state of a log file before its first record. */
  createState(path: string): LogState;
  /** Applies one record to the state of a log file. */
  reduce(state: LogState, record: unknown): void;
  /** Prepares a state from the beginning of a log file for records that do not follow directly. */
  skipRecords(state: LogState): void;
  createSessions(): SourceSessions;
}

/** `log`: records are appended as lines. `document`: one JSON value, which is replaced as a whole. */
export interface FileUse {
  readonly read: 'log' | 'document';
  /**
   * Session that the file belongs to. Its files are read while it is live or any of its logs is recent. Null if the path does not
   * contain it; such a document is always read.
   */
  readonly session: string | null;
}

/**
 * State of a log file that only its source understands. Plain data, so that it can be stored: objects, lists, maps, sets and typed
 * arrays.
 */
export type LogState = object;

/** Log file as far as it was read. */
export interface ReadLog {
  readonly state: LogState;
  /** Whether the file was read from its beginning. */
  readonly isComplete: boolean;
  /** Last change and creation of the file in milliseconds since the epoch. */
  readonly modifiedAtMs: number;
  readonly createdAtMs: number;
}

/** Everything that is reported about one session. */
export interface SessionEntries {
  readonly agents: readonly ObservedAgent[];
  readonly swarms: readonly ObservedSwarm[];
  readonly tasks: readonly ObservedTask[];
  readonly messages: readonly ObservedMessage[];
}

/** Sessions of a source, from its files, hooks and processes. */
export interface SourceSessions {
  setLog(path: string, log: ReadLog): void;
  /** @param document parsed JSON; returns whether it was understood */
  setDocument(path: string, document: unknown): boolean;
  removeFile(path: string): void;
  /** @param at time at which the event was received (RFC 3339, UTC) */
  applyHook(event: unknown, at: string): void;
  /** Checks which processes run. */
  checkProcesses(processes: ProcessTable): void;
  /** Marks the sessions as changed that have been silent for so long that their description changes. */
  checkSilence(nowMs: number): void;
  /** Sessions whose processes run. */
  liveSessions(): ReadonlySet<string>;
  /** Number of files with the id of another file. */
  readonly collisions: number;
  /** Describes the sessions that have changed since the last call. Null entries stand for a session that is gone. */
  takeChanges(nowMs: number): ReadonlyMap<string, SessionEntries | null>;
}

/** Port of the process table of this machine. */
export interface ProcessTable {
  /**
   * Returns whether a process runs.
   * @param start start of the process in the unit of the system, as the program recorded it; null if unknown
   */
  isRunning(pid: number, start: string | null): boolean;
}

export interface SourceOptions {
  readonly shownText: ShownText;
  readonly prices: PriceList;
}
