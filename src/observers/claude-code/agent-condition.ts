import type { ObservedActivity, ObservedStatus, ObservedWaitReason } from '../../observer-format/index.js';
import type { BackgroundJob, SessionProcess } from './documents.js';
import { type HookState, permissionReason } from './hook-state.js';
import type { AgentEnd, TranscriptState } from './transcript-state.js';

/** Status of one agent and what it does. */
export interface AgentCondition {
  readonly status: ObservedStatus;
  readonly inferred: boolean;
  readonly error: string | null;
  readonly activity: ObservedActivity | null;
  readonly backgroundAgents: number | null;
}

const QUESTION_TOOLS: readonly string[] = ['AskUserQuestion', 'ExitPlanMode'];

/** Derives the condition of an agent from its transcript alone. A wait for permission looks like a running tool there. */
export function transcriptCondition(state: TranscriptState): AgentCondition {
  const { turn, backgroundAgents } = state;
  const condition = { inferred: turn.inferred, error: turn.error, activity: null, backgroundAgents };
  switch (turn.phase) {
    case 'new':
      return { ...condition, status: state.lastConversationAt === null ? 'idle' : 'unknown', inferred: true };
    case 'working': {
      const calls = [...state.openCalls.values()];
      const question = calls.findLast(({ name }) => QUESTION_TOOLS.includes(name));
      if (question !== undefined) {
        const activity = createActivity('waiting', question.name, question.since, permissionReason(question.name));
        return { ...condition, status: 'waiting', activity: { ...activity, detail: question.detail } };
      }
      const call = calls.at(-1);
      const activity =
        call === undefined
          ? createActivity('model', null, state.lastConversationAt)
          : { ...createActivity('tool', call.name, call.since), detail: call.detail };
      return { ...condition, status: 'working', activity };
    }
    case 'idle':
    case 'interrupted':
    case 'failed':
    case 'ended':
      return { ...condition, status: turn.phase };
  }
}

/** Applies the end of a subagent that its parent knows. An agent that received another message after it works again. */
export function withAgentEnd(condition: AgentCondition, state: TranscriptState | null, end: AgentEnd): AgentCondition {
  const startedAt = state?.turn.startedAt ?? null;
  const hasStartedAgain = end.at !== null && startedAt !== null && startedAt > end.at;
  return hasStartedAgain ? condition : { ...condition, status: end.status, inferred: false, activity: null };
}

/**
 * Applies what the hooks report. They know about waits, and are ahead of the transcript, which they lag behind after an
 * interrupt or a refusal.
 */
export function withHooks(condition: AgentCondition, state: TranscriptState | null, hooks: HookState): AgentCondition {
  const recordedAt = state?.lastConversationAt ?? null;
  const { wait } = hooks;
  const reported = { inferred: false, error: null, activity: null, backgroundAgents: hooks.backgroundAgents };
  if (wait !== null && !isAnswered(wait.toolUseId, wait.at, state)) {
    const activity = createActivity('waiting', wait.label, wait.at, wait.reason);
    return { ...reported, status: 'waiting', activity: withDetail(activity, condition) };
  }
  if (recordedAt !== null && recordedAt > hooks.at) return condition;
  if (hooks.isCompacting) {
    return { ...reported, status: 'working', activity: createActivity('compacting', null, hooks.at) };
  }
  if (hooks.phase !== 'working') return { ...reported, status: hooks.phase, error: hooks.error };
  // The transcript knows about an end without a hook.
  if (wait !== null) return condition;
  const call = [...hooks.calls.values()].at(-1);
  const activity =
    call === undefined ? createActivity('model', null, hooks.at) : createActivity('tool', call.name, call.at);
  const isSameCall = condition.activity?.kind === 'tool' && condition.activity.label === activity.label;
  return { ...reported, status: 'working', activity: isSameCall ? condition.activity : activity };
}

/** Returns whether the transcript shows that a wait is over. */
function isAnswered(toolUseId: string | null, at: string, state: TranscriptState | null): boolean {
  if (state === null) return false;
  if (toolUseId !== null && state.answeredCalls.has(toolUseId)) return true;
  const { phase, since, startedAt } = state.turn;
  if (startedAt !== null && startedAt > at) return true;
  return phase !== 'working' && phase !== 'new' && since !== null && since > at;
}

/** Applies the register of live sessions, which is written on each change of the status. */
export function withProcess(
  condition: AgentCondition,
  state: TranscriptState | null,
  { status, statusAt, waitReason }: SessionProcess,
): AgentCondition {
  const recordedAt = state?.lastConversationAt ?? null;
  if (status === null || (recordedAt !== null && statusAt !== null && recordedAt > statusAt)) {
    return condition.status === 'ended' ? { ...condition, status: 'idle' } : condition;
  }
  switch (status) {
    case 'waiting': {
      // Hooks say better what the session waits for.
      if (condition.status === 'waiting') return condition;
      const label = condition.activity?.label ?? null;
      const activity = createActivity('waiting', label, statusAt, waitReason ?? 'other');
      return { ...condition, status: 'waiting', inferred: false, activity: withDetail(activity, condition) };
    }
    case 'busy':
      return condition.status === 'working' || condition.status === 'waiting'
        ? condition
        : { ...condition, status: 'working', inferred: false, activity: createActivity('model', null, statusAt) };
    case 'idle':
      return condition.status === 'working' || condition.status === 'ended' || condition.status === 'unknown'
        ? { ...condition, status: 'idle', inferred: false, activity: null }
        : condition;
  }
}

/** Applies the state of a session in the background. */
export function withJob(
  condition: AgentCondition,
  state: TranscriptState | null,
  { state: job, at, waitReason }: BackgroundJob,
): AgentCondition {
  const recordedAt = state?.lastConversationAt ?? null;
  if (job === null || (recordedAt !== null && at !== null && recordedAt > at)) return condition;
  switch (job) {
    case 'working':
      return condition;
    case 'blocked':
      return condition.status === 'waiting'
        ? condition
        : {
            ...condition,
            status: 'waiting',
            inferred: false,
            activity: createActivity('waiting', null, at, waitReason ?? 'other'),
          };
    case 'done':
      return { ...condition, status: 'idle', inferred: false, activity: null };
    case 'failed':
      return { ...condition, status: 'failed', inferred: false, activity: null };
    case 'stopped':
      return { ...condition, status: 'ended', inferred: false, activity: null };
  }
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
function withDetail(activity: ObservedActivity, { activity: recorded }: AgentCondition): ObservedActivity {
  return recorded?.label === activity.label ? { ...activity, detail: recorded.detail } : activity;
}

function createActivity(
  kind: ObservedActivity['kind'],
  label: string | null,
  since: string | null,
  waitingFor: ObservedWaitReason | null = null,
): ObservedActivity {
  return { kind, label, detail: null, since, waitingFor, inferred: false };
}
