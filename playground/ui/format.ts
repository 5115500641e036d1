import {
  type Agent,
  type AgentState,
  agentStateOf,
  type AgentStatus,
  type CircuitState,
  type HealthStatus,
  type McpServerType,
  type NoticeSeverity,
  type PerformanceMode,
  type ServerStatus,
  type TaskStatus,
  tokensOf,
  type WaitReason,
} from '@swarmlens/client';

/** Rating of a state, shown as a color. */
export type Tone = 'good' | 'busy' | 'warning' | 'bad' | 'neutral';

/** Text shown for unknown values, instead of a number. */
export const UNKNOWN_TEXT = '–';

export const SERVER_TYPE_LABELS: Readonly<Record<McpServerType, string>> = {
  CLAUDE_FLOW: 'claude-flow',
  RUV_SWARM: 'ruv-swarm',
  DAA: 'DAA',
  CLAUDE_CODE: 'Claude Code',
  CODEX: 'Codex',
  CUSTOM: 'custom',
};

export const MODE_LABELS: Readonly<Record<PerformanceMode, string>> = {
  HIGH_FREQUENCY: '60 Hz',
  NORMAL: '10 Hz',
  LOW_FREQUENCY: '1 Hz',
  ON_DEMAND: 'on demand',
};

export const AGENT_TONES: Readonly<Record<AgentStatus, Tone>> = {
  INITIALIZING: 'busy',
  IDLE: 'neutral',
  ACTIVE: 'good',
  BUSY: 'busy',
  WAITING: 'warning',
  PAUSED: 'warning',
  ERROR: 'bad',
  OFFLINE: 'bad',
  TERMINATED: 'neutral',
  UNKNOWN: 'neutral',
};

/** Texts of the states of agents. */
export const STATE_LABELS: Readonly<Record<AgentState, string>> = {
  waiting: 'waiting for you',
  failed: 'failed',
  working: 'working',
  idle: 'idle',
  unknown: 'unknown',
  ended: 'ended',
  stale: 'stale',
};

export const TASK_TONES: Readonly<Record<TaskStatus, Tone>> = {
  PENDING: 'neutral',
  IN_PROGRESS: 'busy',
  BLOCKED: 'warning',
  COMPLETED: 'good',
  FAILED: 'bad',
  CANCELED: 'neutral',
  UNKNOWN: 'neutral',
};

const WAIT_LABELS: Readonly<Record<WaitReason, string>> = {
  PERMISSION: 'a permission',
  ANSWER: 'an answer',
  PLAN_APPROVAL: 'approval of a plan',
  OTHER: 'a person',
};

export const SERVER_TONES: Readonly<Record<ServerStatus, Tone>> = {
  CONNECTING: 'busy',
  ONLINE: 'good',
  DEGRADED: 'warning',
  OFFLINE: 'bad',
};

export const CIRCUIT_TONES: Readonly<Record<CircuitState, Tone>> = {
  CLOSED: 'good',
  HALF_OPEN: 'warning',
  OPEN: 'bad',
};

export const HEALTH_TONES: Readonly<Record<HealthStatus, Tone>> = {
  HEALTHY: 'good',
  DEGRADED: 'warning',
  UNHEALTHY: 'bad',
};

export const NOTICE_TONES: Readonly<Record<NoticeSeverity, Tone>> = {
  INFO: 'neutral',
  WARNING: 'warning',
  ERROR: 'bad',
};

/** Formats an enum value as text: `HALF_OPEN` becomes `half open`. */
export function formatEnumValue(value: string): string {
  return value.toLowerCase().replaceAll('_', ' ');
}

export function formatMilliseconds(value: number | null): string {
  if (value === null) return UNKNOWN_TEXT;
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;
}

export function formatHertz(value: number | null): string {
  if (value === null) return UNKNOWN_TEXT;
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} Hz`;
}

/** @param value 0 to 1 */
export function formatPercent(value: number | null): string {
  return value === null ? UNKNOWN_TEXT : `${Math.round(value * 100)} %`;
}

export function formatBytes(value: number): string {
  if (value < 1_000) return `${Math.round(value)} B`;
  if (value < 1_000_000) return `${(value / 1_000).toFixed(0)} kB`;
  return `${(value / 1_000_000).toFixed(0)} MB`;
}

/** Formats a duration in milliseconds: `75_000` becomes `1 min 15 s`. */
export function formatDuration(ms: number): string {
  const seconds = Math.floor(ms / 1_000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Formats a time of day in the browser's locale. */
export function formatTimeOfDay(at: string | number): string {
  return new Date(at).toLocaleTimeString();
}

export function formatCount(value: number | null | undefined): string {
  return value == null ? UNKNOWN_TEXT : `${value}`;
}

/** @param error thrown value, or error of a stream */
export function formatError(error: unknown): string {
  return error instanceof Error ? error.message : 'An unknown error occurred.';
}

/** Describes what an agent does now: its activity, or else its status. */
export function formatActivity(agent: Agent): string {
  const { activity } = agent;
  const status = formatEnumValue(agent.status);
  if (activity === null) return status;
  const label = activity.label === null ? '' : `: ${activity.label}`;
  const work = {
    TOOL: activity.label ?? 'a tool',
    MODEL: `model${label}`,
    WAITING: `needs ${WAIT_LABELS[activity.waitingFor ?? 'OTHER']}${label}`,
    COMPACTING: 'compacts its context',
  }[activity.kind];
  // An activity contradicts a status such as PAUSED, which the user then needs to know.
  const state = agentStateOf({ ...agent, stale: false });
  return state === 'working' || state === 'waiting' ? work : `${status}, ${work}`;
}

/** Formats the status of an agent. The status of a stale agent is its last known one. */
export function formatStatus({ status, stale }: Agent): string {
  return stale ? `stale · was ${formatEnumValue(status)}` : formatEnumValue(status);
}

/** Returns the tone of the status of an agent. Neutral for a stale agent, whose status may be outdated. */
export function toneOf({ status, stale }: Agent): Tone {
  return stale ? 'neutral' : AGENT_TONES[status];
}

/** Formats the age of a time: `12 s`, `3 min`, `2 h 5 min`, `3 d`. A time in the future has the age 0. */
export function formatAge(at: string | number | null, nowMs: number): string {
  const ms = typeof at === 'number' ? at : Date.parse(at ?? '');
  if (Number.isNaN(ms)) return UNKNOWN_TEXT;
  const seconds = Math.max(0, Math.floor((nowMs - ms) / 1_000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d`;
}

const compactNumber = new Intl.NumberFormat('en', { notation: 'compact', maximumSignificantDigits: 3 });

/** Formats a number with at most three digits and a unit: `950`, `1.2K`, `34.5M`. */
export function formatCompact(value: number | null): string {
  return value === null ? UNKNOWN_TEXT : compactNumber.format(value);
}

/** Formats the number of tokens of an agent. A lower limit begins with `≥`. */
export function formatTokens(agent: Agent): string {
  const tokens = tokensOf(agent);
  return `${tokens !== null && agent.usage?.complete === false ? '≥ ' : ''}${formatCompact(tokens)}`;
}

/** Cost in US dollars. Null if it is unknown. */
export interface Cost {
  readonly costUsd: number | null;
  readonly isEstimated: boolean;
  /** Whether the cost includes everything that was used. */
  readonly isComplete: boolean;
}

export function costOf({ usage }: Agent): Cost {
  return {
    costUsd: usage?.costUsd ?? null,
    isEstimated: usage?.costEstimated ?? false,
    isComplete: usage?.complete ?? true,
  };
}

/** Formats a cost. A lower limit begins with `≥`, and an estimate ends with `est.`. */
export function formatCost({ costUsd, isEstimated, isComplete }: Cost): string {
  if (costUsd === null) return UNKNOWN_TEXT;
  // A small cost is not 0.
  const amount = costUsd > 0 && costUsd < 0.005 ? '< $0.01' : `$${costUsd.toFixed(2)}`;
  return `${isComplete ? '' : '≥ '}${amount}${isEstimated ? ' est.' : ''}`;
}

/** Explains the marks of a cost. */
export function explainCost({ costUsd, isEstimated, isComplete }: Cost): string {
  if (costUsd === null) return 'Unknown cost.';
  const notes = [
    ...(isEstimated ? ['estimated from list prices'] : ['measured']),
    ...(isComplete ? [] : ['a lower limit, because not everything that was used is known']),
  ];
  return `Cost in US dollars: ${notes.join('; ')}.`;
}
