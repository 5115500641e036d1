import { type Agent, type AgentState, agentStateOf } from '@swarmlens/client';

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
