import type { AgentStatus, CircuitState, McpServerType, PerformanceMode, ServerStatus } from '../src/client/index.js';
import type { Tone } from './dom.js';

/** What is not known is shown as this, never as a number. */
export const UNKNOWN = '–';

export const SERVER_TYPES: Readonly<Record<McpServerType, string>> = {
  CLAUDE_FLOW: 'claude-flow',
  RUV_SWARM: 'ruv-swarm',
  DAA: 'DAA',
  CUSTOM: 'custom',
};

export const MODES: Readonly<Record<PerformanceMode, string>> = {
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

/** `HALF_OPEN` → `half open` */
export function word(value: string): string {
  return value.toLowerCase().replaceAll('_', ' ');
}

export function milliseconds(value: number | null): string {
  if (value === null) return UNKNOWN;
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;
}

export function hertz(value: number): string {
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} Hz`;
}
