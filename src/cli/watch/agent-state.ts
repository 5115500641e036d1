import type { Agent } from '@swarmlens/client';

/** States that the watch table distinguishes, by urgency. */
export const AGENT_STATES = ['waiting', 'failed', 'working', 'idle', 'unknown', 'ended', 'stale'] as const;

/** State of an agent in the watch table. A stale agent has no other state, because its values may be outdated. */
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

export function agentStateOf({ status, stale }: Agent): AgentState {
  return stale ? 'stale' : STATES[status];
}

/** Numbers of agents and their cost. */
export interface AgentSummary {
  readonly counts: ReadonlyMap<AgentState, number>;
  /** Sum of the known costs in US dollars. Null if no cost is known. */
  readonly costUsd: number | null;
  readonly costEstimated: boolean;
  /** Whether the sum includes everything that was used. */
  readonly costComplete: boolean;
}

export function summarizeAgents(agents: Iterable<Agent>): AgentSummary {
  const counts = new Map<AgentState, number>();
  let costUsd: number | null = null;
  let costEstimated = false;
  let costComplete = true;
  for (const agent of agents) {
    const state = agentStateOf(agent);
    counts.set(state, (counts.get(state) ?? 0) + 1);
    if (agent.usage === null) continue;
    costComplete &&= agent.usage.complete && agent.usage.costUsd !== null;
    if (agent.usage.costUsd === null) continue;
    costUsd = (costUsd ?? 0) + agent.usage.costUsd;
    costEstimated ||= agent.usage.costEstimated;
  }
  return { counts, costUsd, costEstimated, costComplete };
}

/** Returns the number of tokens that an agent used. Null if it is unknown. */
export function tokensOf({ usage, performance }: Agent): number | null {
  return usage?.totalTokens ?? performance?.tokenUsage ?? null;
}

/** Returns the used share of the context window, 0 to 1. Null if it is unknown. */
export function contextRatioOf({ context }: Agent): number | null {
  if (context === null) return null;
  if (context.usedRatio !== null) return context.usedRatio;
  const { usedTokens, limitTokens } = context;
  return usedTokens === null || limitTokens === null || limitTokens <= 0 ? null : usedTokens / limitTokens;
}
