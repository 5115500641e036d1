import type { ObservedActivity, ObservedStatus, ObservedWaitReason } from '../../observer-format/index.js';
import type { HookState } from './hook-state.js';

/** Status of one agent and what it does. */
export interface AgentCondition {
  readonly status: ObservedStatus;
  readonly inferred: boolean;
  readonly error: string | null;
  readonly activity: ObservedActivity | null;
  readonly backgroundAgents: number | null;
}

export const UNKNOWN_CONDITION: AgentCondition = {
  status: 'unknown',
  inferred: true,
  error: null,
  activity: null,
  backgroundAgents: null,
};

/** Turns of an agent according to its records, with which hooks are compared. */
export interface RecordedTurns {
  /** Time of the last record of the conversation. */
  readonly lastConversationAt: string | null;
  /** Ids of the calls that were answered last. */
  readonly answeredCalls: ReadonlySet<string>;
  readonly turn: { readonly phase: string; readonly since: string | null; readonly startedAt: string | null };
}

/**
 * Applies what the hooks report. They know about waits, and are ahead of the transcript, which they lag behind after an
 * interrupt or a refusal.
 * @param resumedAt time since which the session is known not to wait, because no hook reports that a person has permitted a tool;
 * null if unknown
 */
export function withHooks(
  condition: AgentCondition,
  state: RecordedTurns | null,
  hooks: HookState,
  resumedAt: string | null,
): AgentCondition {
  const recordedAt = state?.lastConversationAt ?? null;
  const { wait } = hooks;
  const reported = { inferred: false, error: null, activity: null, backgroundAgents: hooks.backgroundAgents };
  const hasResumed = wait !== null && resumedAt !== null && resumedAt > wait.at;
  if (wait !== null && !hasResumed && !isAnswered(wait.toolUseId, wait.at, state)) {
    const activity = createActivity('waiting', wait.label, wait.at, wait.reason);
    return { ...reported, status: 'waiting', activity: withDetail(activity, condition) };
  }
  if (recordedAt !== null && recordedAt > hooks.at) return condition;
  if (hooks.isCompacting) {
    return { ...reported, status: 'working', activity: createActivity('compacting', null, hooks.at) };
  }
  if (hooks.phase === 'new') return state === null ? { ...reported, status: 'idle' } : condition;
  if (hooks.phase === 'ended') return { ...reported, status: 'ended', error: hooks.error ?? condition.error };
  if (hooks.phase !== 'working') return { ...reported, status: hooks.phase, error: hooks.error };
  // The transcript knows about an end without a hook.
  if (wait !== null && state !== null) return condition;
  const call = [...hooks.calls.values()].at(-1);
  const activity =
    call === undefined ? createActivity('model', null, hooks.at) : createActivity('tool', call.name, call.at);
  const isSameCall = condition.activity?.kind === 'tool' && condition.activity.label === activity.label;
  return { ...reported, status: 'working', activity: isSameCall ? condition.activity : activity };
}

/** Returns whether the transcript shows that a wait is over. */
function isAnswered(toolUseId: string | null, at: string, state: RecordedTurns | null): boolean {
  if (state === null) return false;
  if (toolUseId !== null && state.answeredCalls.has(toolUseId)) return true;
  const { phase, since, startedAt } = state.turn;
  if (startedAt !== null && startedAt > at) return true;
  return phase !== 'working' && phase !== 'new' && since !== null && since > at;
}

/** Returns the condition of an agent whose process is gone, although no record says so. */
export function asEnded(condition: AgentCondition): AgentCondition {
  return { ...condition, status: 'ended', inferred: true, activity: null, backgroundAgents: null };
}

/** Returns whether an agent is still expected to do something. */
export function isAtWork({ status }: AgentCondition): boolean {
  return status === 'working' || status === 'waiting' || status === 'unknown';
}

/** Adds what the tool works on, which only the transcript contains. */
export function withDetail(activity: ObservedActivity, { activity: recorded }: AgentCondition): ObservedActivity {
  return recorded?.label === activity.label ? { ...activity, detail: recorded.detail } : activity;
}

export function createActivity(
  kind: ObservedActivity['kind'],
  label: string | null,
  since: string | null,
  waitingFor: ObservedWaitReason | null = null,
): ObservedActivity {
  return { kind, label, detail: null, since, waitingFor, inferred: false };
}
