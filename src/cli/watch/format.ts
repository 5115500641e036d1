import { type Agent, agentStateOf, contextRatioOf, tokensOf } from '@swarmlens/client';
import type { AgentSummary } from './agent-summary.js';

/** Text of an unknown value. */
export const UNKNOWN = '–';
/** Mark of estimated and inferred values. */
const INFERRED = '~';
/** Mark of numbers that are lower limits. */
const AT_LEAST = '+';

const WAIT_REASONS = {
  PERMISSION: 'permission',
  ANSWER: 'answer',
  PLAN_APPROVAL: 'plan approval',
  OTHER: 'a person',
} as const;

/** Describes what an agent does now: its activity, or else its status. Inferred activities begin with `~`. */
export function formatActivity(agent: Agent): string {
  const text = formatCurrentWork(agent);
  return agent.stale ? `stale: ${text}` : text;
}

function formatCurrentWork(agent: Agent): string {
  const { activity, currentTaskId, serverId } = agent;
  const status = agent.status.toLowerCase();
  if (activity === null) {
    return currentTaskId === null ? status : `${status}: task ${currentTaskId.slice(serverId.length + 1)}`;
  }
  const mark = activity.inferred ? INFERRED : '';
  const label = activity.label === null ? '' : `: ${activity.label}`;
  const work = {
    TOOL: activity.label ?? 'tool',
    MODEL: `model${label}`,
    WAITING: `needs ${WAIT_REASONS[activity.waitingFor ?? 'OTHER']}${label}`,
    COMPACTING: 'compacts its context',
  }[activity.kind];
  // An activity contradicts a status such as PAUSED, which the user then needs to know.
  const state = agentStateOf({ ...agent, stale: false });
  return state === 'working' || state === 'waiting' ? `${mark}${work}` : `${status}, ${mark}${work}`;
}

/** Formats the time since the start of the activity. */
export function formatSince({ activity }: Agent, nowMs: number): string {
  const sinceMs = activity?.since == null ? NaN : Date.parse(activity.since);
  return Number.isNaN(sinceMs) ? UNKNOWN : formatDuration(nowMs - sinceMs);
}

const DURATION_UNITS = [
  [86_400, 'd'],
  [3_600, 'h'],
  [60, 'm'],
] as const;

function formatDuration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  for (const [size, unit] of DURATION_UNITS) if (seconds >= size) return `${Math.floor(seconds / size)}${unit}`;
  return `${seconds}s`;
}

/** Formats the number of tokens. Lower limits end with `+`. */
export function formatTokens(agent: Agent): string {
  const tokens = tokensOf(agent);
  if (tokens === null) return UNKNOWN;
  return formatCount(tokens) + (agent.usage?.complete === false ? AT_LEAST : '');
}

/** Formats the cost. Estimates begin with `~`, lower limits end with `+`. */
export function formatCost({ usage }: Agent): string {
  if (usage?.costUsd == null) return UNKNOWN;
  return formatDollars(usage.costUsd, usage.costEstimated, usage.complete);
}

/** Formats the sum of the known costs. Null if no cost is known. */
export function formatTotalCost({ costUsd, costEstimated, costComplete }: AgentSummary): string | null {
  return costUsd === null ? null : formatDollars(costUsd, costEstimated, costComplete);
}

function formatDollars(costUsd: number, isEstimated: boolean, isComplete: boolean): string {
  const amount = costUsd >= 999.995 ? formatCount(costUsd) : costUsd.toFixed(2);
  // A small cost is not 0.
  const text = costUsd > 0 && costUsd < 0.005 ? '<$0.01' : `$${amount}`;
  return `${isEstimated ? INFERRED : ''}${text}${isComplete ? '' : AT_LEAST}`;
}

/** Formats the used share of the context window, or else the number of used tokens. */
export function formatContext(agent: Agent): string {
  const ratio = contextRatioOf(agent);
  if (ratio !== null) return `${Math.round(ratio * 100)}%`;
  const usedTokens = agent.context?.usedTokens ?? null;
  return usedTokens === null ? UNKNOWN : formatCount(usedTokens);
}

const COUNT_UNITS = [
  [1e12, 'T'],
  [1e9, 'G'],
  [1e6, 'M'],
  [1e3, 'k'],
] as const;

/** Formats a number with three digits and a unit: 950, 1.2k, 34.5M. */
export function formatCount(value: number): string {
  if (value >= 1e15) return '>999T';
  for (const [size, unit] of COUNT_UNITS) {
    // A rounded value must not reach the next unit.
    if (value < size * 0.9995) continue;
    const scaled = value / size;
    return `${scaled < 99.95 ? scaled.toFixed(1) : Math.round(scaled)}${unit}`;
  }
  return `${Math.round(value)}`;
}

/** Lines of the page about one agent, as pairs of name and value. */
export function describeAgent(agent: Agent, nowMs: number, agents: ReadonlyMap<string, Agent>): [string, string][] {
  const { activity, usage, context, performance } = agent;
  const nameOf = (id: string): string => {
    const name = agents.get(id)?.name;
    return name === undefined || name === id ? id : `${name} (${id})`;
  };
  const children = [...agents.values()].filter(({ parentId }) => parentId === agent.id);
  const number = (value: number | null | undefined): string =>
    value == null ? 'unknown' : value.toLocaleString('en-US');
  const ratio = (value: number | null | undefined): string =>
    value == null ? 'unknown' : `${Math.round(value * 100)}%`;
  const known = (value: string | null): string => value ?? 'unknown';
  const time = (value: string | null): string => {
    const ms = value === null ? NaN : Date.parse(value);
    return Number.isNaN(ms) ? 'unknown' : `${value} (${formatDuration(nowMs - ms)} ago)`;
  };
  const isUnknown = activity === null;
  return [
    ['Name', agent.name],
    ['Id', agent.id],
    ['Type', agent.type],
    ['Title', known(agent.title)],
    ['Status', agent.status + (agent.stale ? ' (stale: last known values)' : '')],
    ['Now', isUnknown ? 'unknown' : formatCurrentWork(agent) + (activity.inferred ? ' (inferred)' : '')],
    ['Detail', known(activity?.detail ?? null)],
    ['Since', time(activity?.since ?? null)],
    ['Model', known(agent.model)],
    ['Tokens', number(tokensOf(agent)) + (usage?.complete === false ? ' or more' : '')],
    ['  input', number(usage?.inputTokens)],
    ['  output', number(usage?.outputTokens)],
    ['  cache read', number(usage?.cacheReadTokens)],
    ['  cache write', number(usage?.cacheWriteTokens)],
    ['Cost', describeCost(agent)],
    [
      'Context',
      `${ratio(contextRatioOf(agent))}: ${number(context?.usedTokens)} of ${number(context?.limitTokens)} tokens`,
    ],
    ['Workspace', known(agent.workspace)],
    ['Server', `${agent.serverId} (${agent.serverType}${agent.simulated ? ', simulated' : ''})`],
    ['Swarm', known(agent.swarmId)],
    ['Task', known(agent.currentTaskId)],
    ['Parent', agent.parentId === null ? 'none or unknown' : nameOf(agent.parentId)],
    ['Children', children.length === 0 ? 'none or unknown' : describeChildren(children)],
    ['Capabilities', agent.capabilities.length === 0 ? 'unknown' : agent.capabilities.join(', ')],
    [
      'Tasks',
      `${number(performance?.tasksActive)} active, ${number(performance?.tasksCompleted)} completed, ${number(performance?.tasksFailed)} failed`,
    ],
    ['CPU, memory', `${ratio(performance?.cpuUsage)}, ${ratio(performance?.memoryUsage)}`],
    ['Created', time(agent.createdAt)],
    ['Last active', time(agent.lastActiveAt)],
    ['Last seen', time(agent.lastSeenAt)],
  ];
}

/** Number of children whose names are shown. */
const SHOWN_CHILDREN = 20;

function describeChildren(children: readonly Agent[]): string {
  const names = children.slice(0, SHOWN_CHILDREN).map(({ name }) => name);
  const hidden = children.length - names.length;
  return names.join(', ') + (hidden === 0 ? '' : ` and ${hidden} more`);
}

function describeCost({ usage }: Agent): string {
  if (usage?.costUsd == null) return 'unknown';
  const notes = [
    ...(usage.costEstimated ? ['estimated from list prices'] : []),
    ...(usage.complete ? [] : ['lower limit']),
  ];
  return `$${usage.costUsd.toFixed(4)}${notes.length === 0 ? '' : ` (${notes.join(', ')})`}`;
}
