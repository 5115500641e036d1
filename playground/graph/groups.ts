import type { Agent, SwarmFragment } from '@swarmlens/client';
import { distinguishNames } from '../model/agent-names.js';
import { shortenName, withSuffix } from '../ui/labels.js';

const MAX_NAME = 14;

/** Returns the id of the agent's group: its swarm, or its server if it has no swarm. */
export function groupKey(agent: Pick<Agent, 'swarmId' | 'serverId'>): string {
  return agent.swarmId ?? agent.serverId;
}

/** Labels of a group, longest first. */
export type GroupLabels = readonly [string, ...string[]];

/** Returns the labels of swarms, by their ids. Labels that would look alike have a suffix. */
export function swarmLabels(swarms: ReadonlyMap<string, SwarmFragment>): ReadonlyMap<string, GroupLabels> {
  const shortNames = [...swarms.values()].map(({ id, nativeId, serverId, name }) => ({
    ...{ id, nativeId, serverId },
    name: `${serverId} ${shortenName(name ?? nativeId, MAX_NAME)}`,
  }));
  const names = distinguishNames(shortNames, Number.POSITIVE_INFINITY);
  return new Map(
    [...swarms.values()].map((swarm): [string, GroupLabels] => {
      const { id, serverId, nativeId, topologyName, topology } = swarm;
      const short = withSuffix(shortenName(swarm.name ?? nativeId, MAX_NAME), names.get(id)?.suffix ?? '');
      const name = `${serverId} · ${short}`;
      const shape = topologyName ?? topology?.toLowerCase() ?? null;
      return [id, shape === null ? [name, short] : [`${name} · ${shape}`, name, short]];
    }),
  );
}

/** Returns the label of a group that is no known swarm: of a server, or of a swarm that the server does not describe. */
export function unknownGroupLabels(groupId: string): GroupLabels {
  return [groupId.replace(':', ' · ')];
}
