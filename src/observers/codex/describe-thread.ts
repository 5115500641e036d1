import type { ObservedActivity, ObservedAgent, ObservedUsage } from '../../observer-format/index.js';
import {
  type AgentCondition,
  asEnded,
  createActivity,
  isAtWork,
  UNKNOWN_CONDITION,
  withHooks,
} from '../agents/agent-condition.js';
import type { HookState } from '../agents/hook-state.js';
import { toName, toWorkspace } from '../input/shown-text.js';
import type { PriceList } from '../prices/price-list.js';
import type { RolloutState, ThreadUsage } from './rollout-state.js';

/** Time in milliseconds without a record after which a thread that did not end has ended. A tool may take that long. */
export const SILENCE_MS = 6 * 3_600_000;

/** Rollout of one thread as far as it was read. */
export interface Thread {
  readonly id: string;
  readonly rootId: string;
  readonly state: RolloutState | null;
  readonly isComplete: boolean;
  readonly modifiedAtMs: number;
  readonly hooks: HookState | null;
}

export interface ThreadOptions {
  /** Current time in milliseconds since the epoch. */
  readonly nowMs: number;
  readonly prices: PriceList;
}

/**
 * Describes the agent of one thread.
 * @param isParentKnown whether the parent is listed as well
 */
export function describeThread(
  thread: Thread,
  isParentKnown: (id: string) => boolean,
  { nowMs, prices }: ThreadOptions,
): ObservedAgent {
  const { id, rootId, state, hooks } = thread;
  const identity = state?.identity ?? null;
  const workspace = toWorkspace(state?.directory ?? hooks?.directory ?? null);
  const parentId = identity === null ? (id === rootId ? null : rootId) : identity.parentId;
  const isRoot = parentId === null;
  const condition = conditionOf(thread, nowMs);
  const { status, inferred, error, activity, backgroundAgents } = condition;
  const lastActiveAt = state?.lastActiveAt ?? hooks?.at ?? null;
  const now = new Date(nowMs).toISOString();
  return {
    id,
    parentId: parentId !== null && isParentKnown(parentId) ? parentId : isRoot ? null : rootId,
    swarmId: rootId,
    name: (isRoot ? workspace : (lastPart(identity?.path ?? null) ?? identity?.nickname ?? hooks?.type)) ?? id,
    title: null,
    type: isRoot ? 'session' : (identity?.role ?? hooks?.type ?? (identity?.kind === 'review' ? 'review' : 'unknown')),
    status,
    statusInferred: inferred,
    error,
    activity,
    backgroundAgents,
    model: state?.model ?? hooks?.model ?? null,
    usage:
      state === null
        ? null
        : {
            ...usageOf(state),
            ...estimateCost(state, prices),
            complete: thread.isComplete || state.responses === null,
          },
    context:
      state === null
        ? null
        : { usedTokens: state.contextTokens, limitTokens: state.windowTokens, limitInferred: false },
    workspace,
    createdAt: identity?.createdAt ?? hooks?.since ?? null,
    lastActiveAt: lastActiveAt === null || lastActiveAt < now ? lastActiveAt : now,
  };
}

function conditionOf({ state, hooks, modifiedAtMs }: Thread, nowMs: number): AgentCondition {
  const recorded = state === null ? UNKNOWN_CONDITION : rolloutCondition(state);
  const condition = hooks === null ? recorded : withHooks(recorded, state, hooks, null);
  const lastChangeMs = Math.max(modifiedAtMs, hooks === null ? 0 : Date.parse(hooks.at));
  return isAtWork(condition) && nowMs - lastChangeMs > SILENCE_MS ? asEnded(condition) : condition;
}

/** Derives the condition of a thread from its rollout. Requests for approval are not recorded, but may be inferred. */
export function rolloutCondition(state: RolloutState): AgentCondition {
  const { turn } = state;
  const base = { inferred: false, error: turn.error, activity: null, backgroundAgents: null };
  switch (turn.phase) {
    case 'new':
      return { ...base, status: state.lastConversationAt === null ? 'idle' : 'unknown', inferred: true };
    case 'working':
      return workingCondition(state, base);
    case 'idle':
      return state.hasOpenPlan || state.hasOpenQuestion
        ? { ...base, status: 'waiting', activity: openRequest(state) }
        : { ...base, status: 'idle' };
    case 'interrupted':
    case 'failed':
      return { ...base, status: turn.phase };
  }
}

function workingCondition(state: RolloutState, base: Omit<AgentCondition, 'status'>): AgentCondition {
  const calls = [...state.openCalls.values()];
  const question = calls.findLast(({ name }) => name === 'request_user_input');
  if (question !== undefined) {
    return { ...base, status: 'waiting', activity: createActivity('waiting', question.name, question.since, 'answer') };
  }
  if (state.hasOpenQuestion && calls.length === 0) return { ...base, status: 'waiting', activity: openRequest(state) };
  const escalated = mayAskPerson(state) ? calls.findLast(({ isEscalated }) => isEscalated) : undefined;
  if (escalated !== undefined) {
    const { name, since, detail } = escalated;
    const activity = { ...createActivity('waiting', name, since, 'permission'), detail, inferred: true };
    return { ...base, status: 'waiting', inferred: true, activity };
  }
  const call = calls.at(-1);
  const activity =
    call === undefined
      ? createActivity('model', null, state.lastConversationAt)
      : { ...createActivity('tool', call.name, call.since), detail: call.detail };
  return { ...base, status: 'working', activity };
}

function mayAskPerson({ approvalPolicy, asksPerson }: RolloutState): boolean {
  return asksPerson && approvalPolicy !== 'never';
}

function openRequest({ hasOpenPlan, turn }: RolloutState): ObservedActivity {
  return createActivity('waiting', null, turn.since, hasOpenPlan ? 'plan_approval' : 'answer');
}

/** Estimates the cost. Codex records none. */
function estimateCost(state: RolloutState, prices: PriceList): Pick<ObservedUsage, 'costUsd' | 'costEstimated'> {
  const { inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens } = usageOf(state);
  const costUsd = prices.estimate([
    {
      model: state.model,
      input: inputTokens ?? 0,
      output: outputTokens ?? 0,
      cacheRead: cacheReadTokens ?? 0,
      cacheWrite: cacheWriteTokens ?? 0,
      longCacheWrite: 0,
    },
  ]);
  return { costUsd, costEstimated: costUsd !== null };
}

/** Returns the tokens in the counts of the observer format: input without cached tokens. */
export function usageOf({ responses, totals }: RolloutState): ThreadUsage {
  // Both say the same. Single responses are exact also for threads that begin with a copy.
  const tokens = responses ?? totals;
  if (tokens === null) {
    return { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0, totalTokens: 0 };
  }
  const { input, cached, cacheWrite, output } = tokens;
  return {
    inputTokens: Math.max(0, input - cached - cacheWrite),
    outputTokens: output,
    cacheReadTokens: cached,
    cacheWriteTokens: cacheWrite,
    totalTokens: input + output,
  };
}

function lastPart(path: string | null): string | null {
  return toName(path?.split('/').findLast((part) => part !== '') ?? null);
}
