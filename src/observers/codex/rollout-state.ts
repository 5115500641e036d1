import type { ObservedTaskStatus, ObservedUsage } from '../../observer-format/index.js';

export type ThreadPhase = 'new' | 'working' | 'idle' | 'interrupted' | 'failed';

/** Kind of a thread. A `helper` works for Codex itself, and is no agent. */
export type ThreadKind = 'root' | 'subagent' | 'review' | 'helper';

/** Identity of a thread, from the first record of its file. */
export interface ThreadIdentity {
  readonly id: string;
  /** Root of the tree of threads. */
  readonly rootId: string;
  readonly parentId: string | null;
  readonly kind: ThreadKind;
  /** Path in the tree, such as `/root/count_a`. */
  readonly path: string | null;
  readonly nickname: string | null;
  readonly role: string | null;
  readonly createdAt: string | null;
  /** Number of the first record that is not copied from the parent. Null if it is unknown. */
  readonly firstOrdinal: number | null;
}

export interface RolloutCall {
  readonly name: string;
  readonly since: string | null;
  /** Whether the call asks to leave the sandbox, for which a person may have to be asked. */
  readonly isEscalated: boolean;
  /** Text about what the tool works on. Null unless all texts are shown. */
  readonly detail: string | null;
}

/** Tokens in the counts of Codex: input includes cached tokens. */
export interface RolloutTokens {
  readonly input: number;
  readonly cached: number;
  readonly cacheWrite: number;
  readonly output: number;
}

export interface PlanStep {
  readonly title: string | null;
  readonly status: ObservedTaskStatus;
}

/** Message from one agent to another, named by their paths. */
export interface RolloutMessage {
  readonly from: string;
  readonly to: string;
  readonly sentAt: string;
  readonly hash: number;
  readonly text: string | null;
}

/** State of one rollout after any number of records. Plain data that can be stored. All lists are bounded. */
export interface RolloutState {
  identity: ThreadIdentity | null;
  /** Whether the records are still those of the parent, which a file without numbers begins with. */
  isInCopy: boolean;
  directory: string | null;
  lastActiveAt: string | null;
  lastConversationAt: string | null;
  model: string | null;
  windowTokens: number | null;
  contextTokens: number | null;
  approvalPolicy: string | null;
  /** Whether a person is asked for approvals, and not another model. */
  asksPerson: boolean;
  isPlanning: boolean;
  /** Whether a finished plan waits for the approval of a person. */
  hasOpenPlan: boolean;
  /** Whether a message asks the person a question without a call. */
  hasOpenQuestion: boolean;
  turn: {
    readonly phase: ThreadPhase;
    readonly since: string | null;
    readonly startedAt: string | null;
    readonly error: string | null;
  };
  readonly openCalls: Map<string, RolloutCall>;
  readonly answeredCalls: Set<string>;
  /** Cumulative tokens as Codex counts them. */
  totals: RolloutTokens | null;
  /** Sum of the tokens of single responses. Null if the release does not record them. */
  responses: RolloutTokens | null;
  /** Hashes of the ids of the newest responses. */
  readonly recentResponses: Set<number>;
  plan: readonly PlanStep[];
  messages: readonly RolloutMessage[];
}

export type ThreadUsage = Pick<
  ObservedUsage,
  'inputTokens' | 'outputTokens' | 'cacheReadTokens' | 'cacheWriteTokens' | 'totalTokens'
>;

export function createRolloutState(): RolloutState {
  return {
    identity: null,
    isInCopy: false,
    directory: null,
    lastActiveAt: null,
    lastConversationAt: null,
    model: null,
    windowTokens: null,
    contextTokens: null,
    approvalPolicy: null,
    asksPerson: true,
    isPlanning: false,
    hasOpenPlan: false,
    hasOpenQuestion: false,
    turn: { phase: 'new', since: null, startedAt: null, error: null },
    openCalls: new Map(),
    answeredCalls: new Set(),
    totals: null,
    responses: null,
    recentResponses: new Set(),
    plan: [],
    messages: [],
  };
}
