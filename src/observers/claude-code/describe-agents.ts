import type { ObservedAgent, ObservedContext, ObservedUsage } from '../../observer-format/index.js';
import { toWorkspace } from '../input/shown-text.js';
import { type AgentCondition, asEnded, isAtWork, UNKNOWN_CONDITION, withHooks } from '../agents/agent-condition.js';
import { transcriptCondition, withAgentEnd, withJob, withProcess } from './agent-condition.js';
import { AgentTree } from './agent-tree.js';
import { inferContextWindow } from './context-window.js';
import type { HookState } from '../agents/hook-state.js';
import type { SessionFiles, SubagentTranscript, Transcript } from './session-files.js';
import type { TranscriptState } from './transcript-state.js';

/** Time in milliseconds without a sign of life after which a session without a process has ended. */
export const SILENCE_MS = 30 * 60_000;
/** The same for sessions of releases without a register of live sessions. A tool may take that long. */
export const SILENCE_WITHOUT_REGISTER_MS = 6 * 3_600_000;

export interface DescribeOptions {
  /** Current time in milliseconds since the epoch. */
  readonly nowMs: number;
  readonly showsTitles: boolean;
  /** Whether Claude Code keeps a register of live sessions in the configuration directory. */
  readonly hasRegister: boolean;
  /** Returns the cost of tokens in US dollars. Null if the price of a model is unknown. */
  readonly estimateCost: (transcript: Transcript) => number | null;
}

const DEFAULT_AGENT_TYPE = 'general-purpose';

/** Describes all agents of one session, the session's own agent first. */
export function describeAgents(files: SessionFiles, options: DescribeOptions): readonly ObservedAgent[] {
  const condition = sessionCondition(files, options);
  const session = describeSessionAgent(files, condition, options);
  const isOver = condition.status === 'ended';
  const agents = session === null ? [] : [session];
  const tree = new AgentTree(files);
  for (const [agentId, transcript] of files.subagents) {
    if (transcript.state.isHelper) continue;
    agents.push(describeSubagent(files, tree, agentId, transcript, isOver, options));
  }
  for (const [agentId, hooks] of files.hooks ?? []) {
    if (agentId !== null && !files.subagents.has(agentId))
      agents.push(describeHookedAgent(files, agentId, hooks, isOver));
  }
  agents.push(...describeSidechains(files, options));
  return agents;
}

/** Returns the id of a subagent, whose own id is unique within its session only. */
export function subagentId(sessionId: string, agentId: string): string {
  return `${sessionId}/${agentId}`;
}

/** Returns the directory in which a session works. Null if it is unknown. */
export function sessionDirectory({ main, process, hooks }: SessionFiles): string | null {
  return main?.state.directory ?? process?.directory ?? hooks?.get(null)?.directory ?? null;
}

function describeSessionAgent(
  files: SessionFiles,
  condition: AgentCondition,
  options: DescribeOptions,
): ObservedAgent | null {
  const { main, process, registered, sessionId } = files;
  const state = main?.state ?? null;
  const hooks = files.hooks?.get(null) ?? null;
  if (state?.isHelper === true || (main === null && process === null && hooks === null && files.subagents.size === 0)) {
    return null;
  }
  const workspace = toWorkspace(sessionDirectory(files));
  const givenName = state?.customTitle ?? state?.agentName ?? registered.name;
  const title = state?.generatedTitle ?? registered.title;
  return {
    id: sessionId,
    parentId: null,
    swarmId: sessionId,
    name: givenName ?? title ?? workspace ?? sessionId,
    title: options.showsTitles ? (title ?? state?.customTitle ?? null) : null,
    type: 'session',
    ...describeCondition(condition),
    model: modelOf(state) ?? hooks?.model ?? null,
    ...(main === null ? { usage: null, context: null } : describeTokens(main, null, measuredCost(files), options)),
    workspace,
    createdAt: state?.firstAt ?? process?.startedAt ?? hooks?.since ?? null,
    lastActiveAt: lastActive(main, hooks, options),
  };
}

function sessionCondition(files: SessionFiles, options: DescribeOptions): AgentCondition {
  const { process, job } = files;
  const state = files.main?.state ?? null;
  const hooks = files.hooks?.get(null) ?? null;
  let condition = state === null ? UNKNOWN_CONDITION : transcriptCondition(state);
  if (hooks !== null) condition = withHooks(condition, state, hooks, resumedAt(files));
  if (process !== null) {
    // The register knows no subagents: their waits are in the status of the session.
    const isSubagentWait = process.status === 'waiting' && hasWaitingSubagent(files);
    condition = withProcess(condition, state, isSubagentWait ? { ...process, status: null } : process);
  }
  if (job !== null) condition = withJob(condition, state, job);
  if (process !== null || condition.status === 'ended') return condition;
  // A session without a turn may be open in a terminal. The register of live sessions would contain it.
  const isGone = files.hasExited || ((isAtWork(condition) || options.hasRegister) && isSilent(files, options));
  return isGone ? asEnded(condition) : condition;
}

function hasWaitingSubagent({ hooks }: SessionFiles): boolean {
  return [...(hooks ?? [])].some(([agentId, { wait }]) => agentId !== null && wait !== null);
}

/** Returns the time since which neither the session nor a subagent waits, from the register. Null if one waits, or if unknown. */
function resumedAt({ process }: SessionFiles): string | null {
  return process?.status === 'busy' || process?.status === 'idle' ? process.statusAt : null;
}

/** Returns whether nothing of a session without a process has changed for a long time. */
function isSilent(files: SessionFiles, { nowMs, hasRegister }: DescribeOptions): boolean {
  const changes = [files.main, ...files.subagents.values()].map((transcript) => transcript?.modifiedAtMs ?? 0);
  const hookTimes = [...(files.hooks?.values() ?? [])].map(({ at }) => Date.parse(at));
  const lastChangeMs = [...changes, ...hookTimes].reduce((last, timeMs) => Math.max(last, timeMs), 0);
  return nowMs - lastChangeMs > (hasRegister ? SILENCE_MS : SILENCE_WITHOUT_REGISTER_MS);
}

function describeSubagent(
  files: SessionFiles,
  tree: AgentTree,
  agentId: string,
  transcript: SubagentTranscript,
  isSessionOver: boolean,
  options: DescribeOptions,
): ObservedAgent {
  const { state } = transcript;
  const meta = files.metas.get(agentId) ?? null;
  const call = tree.originOf(agentId)?.call ?? null;
  const hooks = files.hooks?.get(agentId) ?? null;
  const parent = tree.parentOf(agentId);
  const condition = subagentCondition(files, tree, agentId, transcript, hooks);
  const type = meta?.type ?? hooks?.type ?? call?.type ?? defaultType(transcript);
  const title = options.showsTitles ? (meta?.title ?? call?.title ?? null) : null;
  const announcedModel = call?.model ?? meta?.model ?? null;
  return {
    id: subagentId(files.sessionId, agentId),
    parentId: parent === null ? files.sessionId : subagentId(files.sessionId, parent),
    swarmId: files.sessionId,
    name: meta?.name ?? call?.name ?? title ?? type,
    title,
    type,
    ...describeCondition(isSessionOver && isAtWork(condition) ? asEnded(condition) : condition),
    model: modelOf(state) ?? announcedModel,
    ...describeTokens(transcript, announcedModel, null, options),
    workspace: toWorkspace(meta?.directory ?? state.directory),
    createdAt: state.firstAt,
    lastActiveAt: lastActive(transcript, hooks, options),
  };
}

function subagentCondition(
  files: SessionFiles,
  tree: AgentTree,
  agentId: string,
  { state, runId }: SubagentTranscript,
  hooks: HookState | null,
): AgentCondition {
  const end = tree.endOf(agentId);
  let condition = transcriptCondition(state);
  if (hooks !== null) condition = withHooks(condition, state, hooks, resumedAt(files));
  if (end !== null) return withAgentEnd(condition, state, end);
  const journal = runId === null ? undefined : files.journals.get(runId);
  if (journal?.ended.has(agentId) === true)
    return { ...condition, status: 'finished', inferred: false, activity: null };
  // A member of a team is asked again. Any other agent returns its last answer to its parent, which is recorded shortly after.
  const isTeammate = tree.originOf(agentId)?.call.isTeammate ?? files.team !== null;
  return condition.status === 'idle' && state.turn.phase === 'idle' && !isTeammate
    ? { ...condition, status: 'finished', inferred: true }
    : condition;
}

function defaultType({ runId }: SubagentTranscript): string {
  return runId === null ? DEFAULT_AGENT_TYPE : 'workflow-subagent';
}

/** Describes an agent that only hooks have reported so far. */
function describeHookedAgent(
  files: SessionFiles,
  agentId: string,
  hooks: HookState,
  isSessionOver: boolean,
): ObservedAgent {
  const condition = withHooks(UNKNOWN_CONDITION, null, hooks, resumedAt(files));
  const type = hooks.type ?? DEFAULT_AGENT_TYPE;
  return {
    id: subagentId(files.sessionId, agentId),
    parentId: files.sessionId,
    swarmId: files.sessionId,
    name: type,
    title: null,
    type,
    ...describeCondition(isSessionOver && isAtWork(condition) ? asEnded(condition) : condition),
    model: hooks.model,
    usage: null,
    context: null,
    workspace: toWorkspace(hooks.directory),
    createdAt: hooks.since,
    lastActiveAt: hooks.at,
  };
}

/** Describes the agents that an old release recorded in the transcript of the session. */
function describeSidechains(files: SessionFiles, options: DescribeOptions): readonly ObservedAgent[] {
  const { main, sessionId } = files;
  if (main === null) return [];
  const callsAgent = [...main.state.openCalls.values()].some(({ name }) => name === 'Task' || name === 'Agent');
  return [...main.state.sidechains].map(([key, state]) => {
    const transcript: Transcript = { ...main, state, tokens: [] };
    const condition = transcriptCondition(state);
    return {
      id: subagentId(sessionId, key),
      parentId: sessionId,
      swarmId: sessionId,
      name: DEFAULT_AGENT_TYPE,
      title: null,
      type: DEFAULT_AGENT_TYPE,
      // No record links the agent with its call.
      ...describeCondition(
        callsAgent ? condition : { ...condition, status: 'finished', inferred: true, activity: null },
      ),
      model: modelOf(state),
      ...describeTokens(transcript, null, null, options),
      workspace: toWorkspace(state.directory),
      createdAt: state.firstAt,
      lastActiveAt: lastActive(transcript, null, options),
    };
  });
}

/** Describes a condition. An agent that has ended after a failure has failed. */
function describeCondition(condition: AgentCondition) {
  const { inferred, error, activity, backgroundAgents } = condition;
  const status = condition.status === 'ended' && error !== null ? ('failed' as const) : condition.status;
  return { status, statusInferred: inferred, error, activity, backgroundAgents };
}

function describeTokens(
  transcript: Transcript,
  announcedModel: string | null,
  measuredCostUsd: number | null,
  { estimateCost }: DescribeOptions,
): { readonly usage: ObservedUsage; readonly context: ObservedContext } {
  const { state, isComplete, tokens } = transcript;
  const sum = (column: 'input' | 'output' | 'cacheRead' | 'cacheWrite'): number =>
    tokens.reduce((total, amounts) => total + amounts[column], 0);
  const [inputTokens, outputTokens] = [sum('input'), sum('output')];
  const [cacheReadTokens, cacheWriteTokens] = [sum('cacheRead'), sum('cacheWrite')];
  const costUsd = measuredCostUsd ?? estimateCost(transcript);
  return {
    usage: {
      inputTokens,
      outputTokens,
      cacheReadTokens,
      cacheWriteTokens,
      totalTokens: inputTokens + outputTokens + cacheReadTokens + cacheWriteTokens,
      costUsd,
      costEstimated: costUsd !== null && measuredCostUsd === null,
      complete: isComplete && state.hasReliableStopReasons && !state.hasCutAnswers,
    },
    context: {
      usedTokens: state.contextTokens,
      limitTokens: inferContextWindow(state.model, announcedModel ?? state.announcedModel, state.maxContextTokens),
      limitInferred: true,
    },
  };
}

/** Returns the measured cost of a session. It includes the subagents, and is the agent's own cost only without them. */
function measuredCost({ main, subagents }: SessionFiles): number | null {
  const cost = main?.state.cost ?? null;
  return cost !== null && cost.isComplete && subagents.size === 0 && main?.state.sidechains.size === 0
    ? cost.usd
    : null;
}

function modelOf(state: TranscriptState | null): string | null {
  return state?.model ?? state?.announcedModel ?? null;
}

/** Returns the time of the last record, or of the last hook if there is no record. Never after the current time. */
function lastActive(transcript: Transcript | null, hooks: HookState | null, { nowMs }: DescribeOptions): string | null {
  const time = transcript?.state.lastActiveAt ?? hooks?.at ?? null;
  const now = new Date(nowMs).toISOString();
  return time === null || time < now ? time : now;
}
