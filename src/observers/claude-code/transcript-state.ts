import type { ObservedTaskStatus } from '../../observer-format/index.js';
import type { AgentEndStatus } from './task-notification.js';
import type { TeamMessage } from './teammate-message.js';
import { createUsageLedger, type UsageLedger } from './usage-ledger.js';

/** Phase of the turns of one agent. `new`: no turn yet. */
export type TurnPhase = 'new' | 'working' | 'idle' | 'interrupted' | 'failed' | 'ended';

export interface Turn {
  readonly phase: TurnPhase;
  /** Time of the record that began the phase. */
  readonly since: string | null;
  /** Time of the prompt, notification or message that began the turn. */
  readonly startedAt: string | null;
  readonly inferred: boolean;
  /** Code of the error that ended the turn. */
  readonly error: string | null;
}

/** Tool call without a result. */
export interface OpenCall {
  readonly name: string;
  /** Id of the answer that contains the call. */
  readonly answerId: string | null;
  readonly since: string | null;
  /** Text about what the tool works on. Null unless all texts are shown. */
  readonly detail: string | null;
}

/** Call that starts an agent, and what its result says about the agent. */
export interface AgentCall {
  readonly agentId: string | null;
  readonly type: string | null;
  readonly name: string | null;
  readonly title: string | null;
  readonly model: string | null;
  /** Whether the agent is a member of a team, which accepts messages after its turn. */
  readonly isTeammate: boolean;
  /** End of an agent in the foreground. */
  readonly end: AgentEnd | null;
}

export interface AgentEnd {
  readonly status: AgentEndStatus;
  readonly at: string | null;
  /** Hash of the notification, which is repeated when it is delivered. Null if the end is the result of a call. */
  readonly hash: number | null;
}

/** Task that tool calls in the transcript created or changed. */
export interface TranscriptTask {
  readonly id: string;
  readonly title: string | null;
  readonly status: ObservedTaskStatus;
  readonly owner: string | null;
  readonly blockedBy: readonly string[];
  readonly createdAt: string | null;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  /** Time of the last change. */
  readonly changedAt: string | null;
}

/** Total cost of a session with its subagents, as Claude Code measured it when the session ended. */
export interface SessionCost {
  readonly usd: number;
  readonly isComplete: boolean;
}

/**
 * State of one transcript after any number of records. Plain data that can be stored and loaded again. All lists are bounded.
 */
export interface TranscriptState {
  /** Session that the records name. The name of the file is better, because copies keep the id of their original. */
  sessionId: string | null;
  agentId: string | null;
  directory: string | null;
  /** Whether the release writes the reason why an answer stopped with each of its records. */
  hasReliableStopReasons: boolean;
  /** Whether an answer was cut off, so that only a part of its tokens is known. */
  hasCutAnswers: boolean;
  firstAt: string | null;
  firstConversationAt: string | null;
  lastActiveAt: string | null;
  /** Time of the last record of the conversation. */
  lastConversationAt: string | null;
  /** Names that a person gave to the session. */
  customTitle: string | null;
  agentName: string | null;
  /** Title that Claude Code generated. Null unless titles are shown. */
  generatedTitle: string | null;
  model: string | null;
  /** Model before the first answer. */
  announcedModel: string | null;
  turn: Turn;
  readonly openCalls: Map<string, OpenCall>;
  /** Ids of the calls that were answered last. */
  readonly answeredCalls: Set<string>;
  /** Calls that start agents, by the id of the call. */
  readonly agentCalls: Map<string, AgentCall>;
  /** Ends of background agents, by the id of the agent. */
  readonly agentEnds: Map<string, AgentEnd>;
  backgroundAgents: number | null;
  contextTokens: number | null;
  maxContextTokens: number;
  readonly usage: UsageLedger;
  /** Hashes of the ids of the newest records, as a ring. A record that is repeated is ignored. */
  readonly recentRecords: Float64Array;
  nextRecord: number;
  /** Time of the last compaction. */
  compactedAt: string | null;
  /** Number of older records that are still ignored, because a compaction may repeat them. */
  repetitionsLeft: number;
  readonly tasks: Map<string, TranscriptTask>;
  /** Titles of tasks by the id of the call that creates them. */
  readonly taskCreations: Map<string, string | null>;
  todos: readonly TranscriptTask[];
  messages: readonly TeamMessage[];
  cost: SessionCost | null;
  /** Whether the transcript belongs to a helper of Claude Code and not to an agent. */
  isHelper: boolean;
  /** Hashes of records that copies of the session share. */
  readonly copyKeys: Set<number>;
  /** Agents whose records lie in the transcript of their session, as in old releases, by the id of their first record. */
  readonly sidechains: Map<string, TranscriptState>;
  readonly sidechainOf: Map<string, string>;
}

/** Number of the newest records that are recognized when they are repeated. */
const MAX_RECENT_RECORDS = 128;

export const NEW_TURN: Turn = { phase: 'new', since: null, startedAt: null, inferred: false, error: null };

export function createTranscriptState(): TranscriptState {
  return {
    sessionId: null,
    agentId: null,
    directory: null,
    hasReliableStopReasons: true,
    hasCutAnswers: false,
    firstAt: null,
    firstConversationAt: null,
    lastActiveAt: null,
    lastConversationAt: null,
    customTitle: null,
    agentName: null,
    generatedTitle: null,
    model: null,
    announcedModel: null,
    turn: NEW_TURN,
    openCalls: new Map(),
    answeredCalls: new Set(),
    agentCalls: new Map(),
    agentEnds: new Map(),
    backgroundAgents: null,
    contextTokens: null,
    maxContextTokens: 0,
    usage: createUsageLedger(),
    recentRecords: new Float64Array(MAX_RECENT_RECORDS),
    nextRecord: 0,
    compactedAt: null,
    repetitionsLeft: 0,
    tasks: new Map(),
    taskCreations: new Map(),
    todos: [],
    messages: [],
    cost: null,
    isHelper: false,
    copyKeys: new Set(),
    sidechains: new Map(),
    sidechainOf: new Map(),
  };
}
