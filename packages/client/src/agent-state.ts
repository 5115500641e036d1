import type { Agent } from './apply-agent-update.js';

/** States of agents for people, by urgency. */
export const AGENT_STATES = ['waiting', 'failed', 'working', 'idle', 'unknown', 'ended', 'stale'] as const;

/** State of an agent for people. A stale agent has no other state, because its values may be outdated. */
export type AgentState = (typeof AGENT_STATES)[number];

const STATES: Readonly<Record<Agent['status'], AgentState>> = {
  WAITING: 'waiting',
  ERROR: 'failed',
  INITIALIZING: 'working',
  ACTIVE: 'working',
  BUSY: 'working',
  IDLE: 'idle',
  PAUSED: 'idle',
  UNKNOWN: 'unknown',
  OFFLINE: 'ended',
  TERMINATED: 'ended',
};

/** Returns the state of an agent for people. */
export function agentStateOf({ status, stale }: Pick<Agent, 'status' | 'stale'>): AgentState {
  return stale ? 'stale' : STATES[status];
}

/** Returns the number of tokens that an agent used. Null if it is unknown. */
export function tokensOf({ usage, performance }: Pick<Agent, 'usage' | 'performance'>): number | null {
  return usage?.totalTokens ?? performance?.tokenUsage ?? null;
}

/** Returns the used share of the context window, 0 to 1. Null if it is unknown. */
export function contextRatioOf({ context }: Pick<Agent, 'context'>): number | null {
  if (context === null) return null;
  if (context.usedRatio !== null) return context.usedRatio;
  const { usedTokens, limitTokens } = context;
  return usedTokens === null || limitTokens === null || limitTokens <= 0 ? null : usedTokens / limitTokens;
}
