import type { Agent, SwarmFragment } from '@swarmlens/client';
import { shortenName } from '../ui/labels.js';

const MAX_NAME = 14;

/** Its swarm, or its server where it is in none. */
export function groupKey(agent: Pick<Agent, 'swarmId' | 'serverId'>): string {
  return agent.swarmId ?? agent.serverId;
}

/** How a group is called, from the swarms that are known: in full, and ever shorter. */
export function groupLabels(
  groupId: string,
  swarms: ReadonlyMap<string, SwarmFragment>,
): readonly [string, ...string[]] {
  const swarm = swarms.get(groupId);
  if (swarm === undefined) return [groupId.replace(':', ' · ')];
  const shape = swarm.topologyName ?? swarm.topology?.toLowerCase() ?? null;
  const name = `${swarm.serverId} · ${shortenName(swarm.name ?? swarm.nativeId, MAX_NAME)}`;
  return shape === null ? [name, swarm.serverId] : [`${name} · ${shape}`, name, swarm.serverId];
}
