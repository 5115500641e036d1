import type { TopologyKind } from './enums.js';

/** Edge between two members of one swarm, with the ids that were passed in. */
export interface InferredEdge {
  readonly from: string;
  readonly to: string;
  readonly relation: string;
}

/**
 * Maximum number of agents of a mesh whose edges are inferred. The number of edges grows with the square of the agents (2,016
 * edges for 64 agents), and a renderer can draw larger meshes from the swarm's `topology` alone.
 */
export const MAX_MESH_AGENTS = 64;

/** Maps a server's topology name to a standard shape. */
export function parseTopologyKind(name: string): TopologyKind {
  switch (name.toLowerCase()) {
    case 'mesh':
      return 'MESH';
    case 'hierarchical':
    case 'tree':
      return 'HIERARCHICAL';
    case 'ring':
      return 'RING';
    case 'star':
      return 'STAR';
    default:
      return 'OTHER';
  }
}

/**
 * Infers edges from the name of a topology. Returns none if the name does not determine them.
 * @param members ids in the server's order
 * @param hub leading agent, such as a queen or coordinator. Null if there is none
 */
export function inferEdges(
  kind: TopologyKind,
  members: readonly string[],
  hub: string | null,
): readonly InferredEdge[] {
  if (members.length < 2) return [];
  switch (kind) {
    case 'HIERARCHICAL':
    case 'STAR':
      if (hub === null) return [];
      return members.filter((id) => id !== hub).map((id) => ({ from: hub, to: id, relation: 'leads' }));
    case 'RING':
      return members.flatMap((from, index) => {
        const to = members[(index + 1) % members.length];
        // Two agents share one edge instead of one in each direction.
        return to === undefined || (members.length === 2 && index === 1) ? [] : [{ from, to, relation: 'next' }];
      });
    case 'MESH':
      if (members.length > MAX_MESH_AGENTS) return [];
      return members.flatMap((from, index) => members.slice(index + 1).map((to) => ({ from, to, relation: 'peers' })));
    case 'OTHER':
      return [];
  }
}
