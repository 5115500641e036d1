import { type AgentCondition, createActivity, withDetail } from '../agents/agent-condition.js';
import { permissionReason } from '../agents/hook-state.js';
import type { BackgroundJob, SessionProcess } from './documents.js';
import type { AgentEnd, TranscriptState } from './transcript-state.js';

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

/** Applies the register of live sessions, which is written on each change of the status. */
export function withProcess(
  condition: AgentCondition,
  state: TranscriptState | null,
  { status, statusAt, waitReason }: SessionProcess,
): AgentCondition {
  const recordedAt = state?.lastConversationAt ?? null;
  if (status === null || (recordedAt !== null && statusAt !== null && recordedAt > statusAt)) {
    const isBeforeFirstTurn = state === null && condition.status === 'unknown';
    return condition.status === 'ended' || isBeforeFirstTurn ? { ...condition, status: 'idle' } : condition;
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
      // A session whose background agents work is busy in the register, also after its turn.
      return condition.status === 'working' || condition.status === 'waiting' || hasBackgroundAgents(condition)
        ? condition
        : { ...condition, status: 'working', inferred: false, activity: createActivity('model', null, statusAt) };
    case 'idle':
      return condition.status === 'working' || condition.status === 'ended' || condition.status === 'unknown'
        ? { ...condition, status: 'idle', inferred: false, activity: null }
        : condition;
  }
}

function hasBackgroundAgents({ status, backgroundAgents }: AgentCondition): boolean {
  return status === 'idle' && backgroundAgents !== null && backgroundAgents > 0;
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
