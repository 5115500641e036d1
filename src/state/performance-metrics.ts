import {
  type Agent,
  type AggregatedPerformance,
  type AgentStatus,
  AVERAGED_FIELDS,
  type PerformanceField,
  SUMMED_FIELDS,
  toMeanName,
} from '../model/index.js';

/** Aggregated state of a set of agents. A sum or mean is null if no agent of the set reports the value. */
export type PerformanceMetrics = AggregatedPerformance & {
  readonly totalAgents: number;
  readonly staleAgents: number;
  /** Number of agents that are ACTIVE or BUSY. */
  readonly activeAgents: number;
  readonly agentsByStatus: readonly { readonly status: AgentStatus; readonly count: number }[];
};

export function aggregatePerformance(agents: readonly Agent[]): PerformanceMetrics {
  const counts = new Map<AgentStatus, number>();
  let staleAgents = 0;
  for (const { status, stale } of agents) {
    counts.set(status, (counts.get(status) ?? 0) + 1);
    if (stale) staleAgents += 1;
  }
  return {
    totalAgents: agents.length,
    staleAgents,
    activeAgents: (counts.get('ACTIVE') ?? 0) + (counts.get('BUSY') ?? 0),
    agentsByStatus: [...counts].map(([status, count]) => ({ status, count })),
    ...aggregateFields(agents),
  };
}

function aggregateFields(agents: readonly Agent[]): AggregatedPerformance {
  // Object.fromEntries drops the key type; every aggregated field has an entry.
  return Object.fromEntries([
    ...SUMMED_FIELDS.map((name) => [name, total(agents, name).sum] as const),
    ...AVERAGED_FIELDS.map((name) => {
      const { sum, count } = total(agents, name);
      return [toMeanName(name), sum === null ? null : sum / count] as const;
    }),
  ]) as AggregatedPerformance;
}

/** Sums a field over the agents that report it. The sum is null if none does. */
function total(agents: readonly Agent[], name: PerformanceField): { sum: number | null; count: number } {
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
