import type { Agent, SwarmFragment } from '../../src/client/index.js';

/** A swarm, or the agents of a server that are in none. */
export interface Group {
  readonly id: string;
  readonly label: string;
}

export function groupOf(agent: Pick<Agent, 'swarmId' | 'serverId'>): string {
  return agent.swarmId ?? agent.serverId;
}

/** How a group is called, from the swarms that are known. */
export function labelOf(groupId: string, swarms: ReadonlyMap<string, SwarmFragment>): string {
  const swarm = swarms.get(groupId);
  if (swarm === undefined) return groupId.replace(':', ' · ');
  const shape = swarm.topologyName ?? swarm.topology?.toLowerCase() ?? null;
  const name = swarm.name === null || swarm.name === swarm.nativeId ? shortened(swarm.nativeId) : swarm.name;
  return [swarm.serverId, name, shape].filter((part) => part !== null).join(' · ');
}

/** Native ids of swarms end in long numbers; their ends tell them apart. */
function shortened(nativeId: string): string {
  return nativeId.length <= 18 ? nativeId : `${nativeId.slice(0, 8)}…${nativeId.slice(-6)}`;
}
