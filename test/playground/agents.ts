import type { Agent } from '@swarmlens/client';

/** Creates an agent whose other values are unknown. */
export function createAgent(nativeId: string, values: Partial<Agent> = {}): Agent {
  const { serverId = 'x' } = values;
  return {
    id: `${serverId}:${nativeId}`,
    nativeId,
    serverId,
    serverType: 'RUV_SWARM',
    swarmId: null,
    name: nativeId,
    type: 'coder',
    status: 'IDLE',
    capabilities: [],
    performance: null,
    neural: null,
    topology: null,
    stale: false,
    simulated: true,
    createdAt: null,
    lastActiveAt: null,
    lastSeenAt: '2026-11-23T15:00:00.000Z',
    ...values,
  };
}

/** Creates performance data whose other values are unknown. */
export function createPerformance(
  values: Partial<NonNullable<Agent['performance']>>,
): NonNullable<Agent['performance']> {
  return {
    cpuUsage: null,
    memoryUsage: null,
    healthScore: null,
    activityLevel: null,
    tasksActive: null,
    tasksCompleted: null,
    tasksFailed: null,
    successRate: null,
    tokenUsage: null,
    tokenRate: null,
    responseTimeMs: null,
    throughput: null,
    ...values,
  };
}

export function byId<T extends { readonly id: string }>(...items: readonly T[]): ReadonlyMap<string, T> {
  return new Map(items.map((item) => [item.id, item]));
}
