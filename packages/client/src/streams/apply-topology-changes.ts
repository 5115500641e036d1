import type { TopologyChangeFragment } from '../generated/operations.js';
import type { Topology } from './stream-types.js';

export const EMPTY_TOPOLOGY: Topology = { swarms: new Map(), edges: new Map() };

/**
 * Returns swarms and edges after an update. Does not modify `previous`, and returns it if the update changes nothing.
 *
 * @param isSnapshot whether the changes replace all previous swarms and edges
 * @param changes null if the request does not include topology
 */
export function applyTopologyChanges(
  previous: Topology,
  isSnapshot: boolean,
  changes: readonly TopologyChangeFragment[] | null,
): Topology {
  if (changes === null) return EMPTY_TOPOLOGY;
  if (changes.length === 0) return isSnapshot ? EMPTY_TOPOLOGY : previous;
  const swarms = new Map(isSnapshot ? [] : previous.swarms);
  const edges = new Map(isSnapshot ? [] : previous.edges);
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
