import type { Agent } from '@swarmlens/client';
import { NULL_AGENT_OBJECTS } from '../../packages/client/src/generated/agent-nulls.js';
import { UNOBSERVED } from '../support/unknown-fields.js';

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
    model: null,
    currentTaskId: null,
    ...UNOBSERVED,
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
  return { ...NULL_AGENT_OBJECTS.performance, ...values };
}

export function byId<T extends { readonly id: string }>(...items: readonly T[]): ReadonlyMap<string, T> {
  return new Map(items.map((item) => [item.id, item]));
}
