import type { AgentMeta, BackgroundJob, SessionProcess } from './documents.js';
import type { SessionHooks } from '../agents/hook-state.js';
import type { TranscriptState, TranscriptTask } from './transcript-state.js';
import type { WorkflowJournal } from './workflow-journal.js';

/** Transcript of a session or of a subagent, from one file. */
export interface TranscriptFile {
  readonly path: string;
  readonly state: TranscriptState;
  readonly runId: string | null;
  readonly isComplete: boolean;
  readonly modifiedAtMs: number;
}

/** Files of one session by their paths. Several files may claim the same id; the newest one counts. */
export interface SessionRecord {
  readonly sessionId: string;
  readonly mains: Map<string, TranscriptFile>;
  readonly subagents: Map<string, Map<string, TranscriptFile>>;
  readonly metas: Map<string, AgentMeta>;
  readonly journals: Map<string, WorkflowJournal>;
  readonly processes: Map<string, SessionProcess>;
  readonly jobs: Map<string, BackgroundJob>;
  readonly todos: Map<string | null, readonly TranscriptTask[]>;
  readonly hooks: SessionHooks;
  /** Pids of the processes that ran when they were last checked. */
  runningPids: ReadonlySet<number>;
  hasExited: boolean;
  /** Number of the limits of silence that the session had passed when it was last checked. */
  silenceLevel: number;
  /** Names of the last process, which the session keeps when the process has ended. */
  registered: SessionNames;
}

/** Names of a session in the register of live sessions. */
export interface SessionNames {
  readonly name: string | null;
  readonly title: string | null;
}

export function createSessionRecord(sessionId: string): SessionRecord {
  return {
    sessionId,
    mains: new Map(),
    subagents: new Map(),
    metas: new Map(),
    journals: new Map(),
    processes: new Map(),
    jobs: new Map(),
    todos: new Map(),
    hooks: new Map(),
    runningPids: new Set(),
    hasExited: false,
    silenceLevel: 0,
    registered: { name: null, title: null },
  };
}

/** Returns whether nothing is known about a session any more. */
export function isEmptyRecord({
  mains,
  subagents,
  processes,
  hooks,
  metas,
  journals,
  jobs,
  todos,
}: SessionRecord): boolean {
  return [mains, subagents, processes, hooks, metas, journals, jobs, todos].every(({ size }) => size === 0);
}

/** Returns the file that was changed last. */
export function newestFile(files: ReadonlyMap<string, TranscriptFile>): TranscriptFile | null {
  let newest: TranscriptFile | null = null;
  for (const file of files.values()) {
    const isNewer =
      newest === null ||
      file.modifiedAtMs > newest.modifiedAtMs ||
      (file.modifiedAtMs === newest.modifiedAtMs && file.path < newest.path);
    if (isNewer) newest = file;
  }
  return newest;
}
