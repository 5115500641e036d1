import type {
  AgentStatus,
  CircuitState,
  HealthStatus,
  McpServerType,
  NoticeSeverity,
  PerformanceMode,
  ServerStatus,
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
