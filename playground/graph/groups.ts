import type { Agent, SwarmFragment } from '@swarmlens/client';
import { shortenName } from '../ui/labels.js';

const MAX_NAME = 14;

/** Returns the id of the agent's group: its swarm, or its server if it has no swarm. */
export function groupKey(agent: Pick<Agent, 'swarmId' | 'serverId'>): string {
  return agent.swarmId ?? agent.serverId;
}

/** Returns the labels of a group, longest first. */
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
