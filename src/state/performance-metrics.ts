import type { Agent, AgentPerformance, AgentStatus } from '../model/index.js';

/** What a set of agents does together. A sum or mean is `null` when no agent of the set reports the value. */
export interface PerformanceMetrics {
  readonly totalAgents: number;
  readonly staleAgents: number;
  /** Agents that are ACTIVE or BUSY. */
  readonly activeAgents: number;
  readonly agentsByStatus: readonly { readonly status: AgentStatus; readonly count: number }[];
  readonly tasksActive: number | null;
  readonly tasksCompleted: number | null;
  readonly tasksFailed: number | null;
  readonly tokenUsage: number | null;
  readonly tokenRate: number | null;
  readonly throughput: number | null;
  readonly meanCpuUsage: number | null;
  readonly meanMemoryUsage: number | null;
  readonly meanHealthScore: number | null;
  readonly meanSuccessRate: number | null;
  readonly meanResponseTimeMs: number | null;
}

export function aggregatePerformance(agents: readonly Agent[]): PerformanceMetrics {
  const counts = new Map<AgentStatus, number>();
  let staleAgents = 0;
  for (const { status, stale } of agents) {
    counts.set(status, (counts.get(status) ?? 0) + 1);
    if (stale) staleAgents += 1;
  }
  const sum = (name: keyof AgentPerformance): number | null => total(agents, name).sum;
  const mean = (name: keyof AgentPerformance): number | null => {
    const { sum: all, count } = total(agents, name);
    return all === null ? null : all / count;
  };
  return {
    totalAgents: agents.length,
    staleAgents,
    activeAgents: (counts.get('ACTIVE') ?? 0) + (counts.get('BUSY') ?? 0),
    agentsByStatus: [...counts].map(([status, count]) => ({ status, count })),
    tasksActive: sum('tasksActive'),
    tasksCompleted: sum('tasksCompleted'),
    tasksFailed: sum('tasksFailed'),
    tokenUsage: sum('tokenUsage'),
    tokenRate: sum('tokenRate'),
    throughput: sum('throughput'),
    meanCpuUsage: mean('cpuUsage'),
    meanMemoryUsage: mean('memoryUsage'),
    meanHealthScore: mean('healthScore'),
    meanSuccessRate: mean('successRate'),
    meanResponseTimeMs: mean('responseTimeMs'),
  };
}

function total(agents: readonly Agent[], name: keyof AgentPerformance): { sum: number | null; count: number } {
  let sum: number | null = null;
  let count = 0;
  for (const { performance } of agents) {
    const value = performance?.[name] ?? null;
    if (value === null) continue;
    sum = (sum ?? 0) + value;
    count += 1;
  }
  return { sum, count };
}
