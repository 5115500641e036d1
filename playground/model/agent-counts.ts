import { type Agent, type AgentState, agentStateOf, type McpServerType } from '@swarmlens/client';
import { type CostToday, sumCostToday } from './cost-today.js';

/** Numbers of all agents that the viewer can see, whatever the filters. */
export interface AgentCounts {
  readonly total: number;
  readonly byState: ReadonlyMap<AgentState, number>;
  readonly byServerType: ReadonlyMap<McpServerType, number>;
  readonly byType: ReadonlyMap<string, number>;
  readonly bySwarm: ReadonlyMap<string, number>;
  readonly costToday: CostToday;
}

export function countAgents(agents: ReadonlyMap<string, Agent>, nowMs: number): AgentCounts {
  const byState = new Map<AgentState, number>();
  const byServerType = new Map<McpServerType, number>();
  const byType = new Map<string, number>();
  const bySwarm = new Map<string, number>();
  for (const agent of agents.values()) {
    increment(byState, agentStateOf(agent));
    increment(byServerType, agent.serverType);
    increment(byType, agent.type);
    if (agent.swarmId !== null) increment(bySwarm, agent.swarmId);
  }
  return {
    total: agents.size,
    byState,
    byServerType,
    byType,
    bySwarm,
    costToday: sumCostToday(agents.values(), nowMs),
  };
}

function increment<T>(counts: Map<T, number>, key: T): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
