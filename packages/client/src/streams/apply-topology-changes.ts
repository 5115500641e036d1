import type { TopologyChangeFragment } from '../generated/operations.js';
import type { Topology } from './stream-types.js';

export const EMPTY_TOPOLOGY: Topology = { swarms: new Map(), edges: new Map() };

/**
 * Swarms and edges after an update; `picture` is what they were before it. It is never changed, and is itself the
 * answer when the update changes nothing.
 *
 * @param isWhole the update is a SNAPSHOT: what it does not tell of is not there
 * @param changes `null`: topology is left out
 */
export function applyTopologyChanges(
  picture: Topology,
  isWhole: boolean,
  changes: readonly TopologyChangeFragment[] | null,
): Topology {
  if (changes === null) return EMPTY_TOPOLOGY;
  if (changes.length === 0) return isWhole ? EMPTY_TOPOLOGY : picture;
  const swarms = new Map(isWhole ? [] : picture.swarms);
  const edges = new Map(isWhole ? [] : picture.edges);
  for (const change of changes) {
    if (change.kind === 'SNAPSHOT') {
      for (const { id, swarmId } of [...edges.values()]) if (swarmId === change.swarmId) edges.delete(id);
    }
    if (change.swarm === null) swarms.delete(change.swarmId);
    else swarms.set(change.swarmId, change.swarm);
    for (const edge of change.edges) edges.set(edge.id, edge);
    for (const id of change.removedEdgeIds) edges.delete(id);
  }
  return { swarms, edges };
}
