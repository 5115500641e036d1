import type { AgentMeta, BackgroundJob, MailboxMessage, SessionProcess, Team } from './documents.js';
import type { SessionHooks } from '../agents/hook-state.js';
import type { SessionNames } from './session-record.js';
import type { TranscriptState, TranscriptTask } from './transcript-state.js';
import type { PricedTokens } from '../prices/price-list.js';
import type { WorkflowJournal } from './workflow-journal.js';

/** Transcript of one agent as far as it was read. */
export interface Transcript {
  readonly state: TranscriptState;
  /** Whether the file was read from its beginning. */
  readonly isComplete: boolean;
  /** Last change of the file in milliseconds since the epoch. */
  readonly modifiedAtMs: number;
  /** Tokens of the answers that no other transcript has counted. */
  readonly tokens: readonly PricedTokens[];
}

export interface SubagentTranscript extends Transcript {
  /** Run of a workflow that the agent belongs to. */
  readonly runId: string | null;
}

export interface SessionTeam {
  readonly name: string;
  readonly team: Team;
  /** Messages by the name of the recipient. */
  readonly inboxes: ReadonlyMap<string, readonly MailboxMessage[]>;
}

/** Everything that is known about one session. */
export interface SessionFiles {
  readonly sessionId: string;
  readonly main: Transcript | null;
  readonly subagents: ReadonlyMap<string, SubagentTranscript>;
  readonly metas: ReadonlyMap<string, AgentMeta>;
  readonly journals: ReadonlyMap<string, WorkflowJournal>;
  /** Entry of the register whose process runs. */
  readonly process: SessionProcess | null;
  /** Names in the register of live sessions, also of a process that has ended. */
  readonly registered: SessionNames;
  /** Whether a process of the session has run since the observer started, and runs no more. */
  readonly hasExited: boolean;
  readonly job: BackgroundJob | null;
  readonly team: SessionTeam | null;
  /** Tasks in files. Null if the session has no such files. */
  readonly taskFiles: { readonly list: string; readonly tasks: readonly TranscriptTask[] } | null;
  /** Todos in files by agent. The key of the session's own agent is null. */
  readonly todoFiles: ReadonlyMap<string | null, readonly TranscriptTask[]>;
  readonly hooks: SessionHooks | null;
}
