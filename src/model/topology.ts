import type { TopologyKind } from './enums.js';

/** An edge between two members of one swarm, by the ids that were passed in. */
export interface InferredEdge {
  readonly from: string;
  readonly to: string;
  readonly relation: string;
}

/**
 * Above this number of agents a mesh is not written out: its edges grow with the square of its agents
 * (64 agents have 2,016), and a renderer can draw it from the swarm's `topology` alone.
 */
export const MAX_MESH_AGENTS = 64;

/** The standard shape behind a server's own word for its topology. */
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
 * The edges that follow from a topology's name alone. `members` are in the server's order; `hub` is the agent that
 * leads (a queen, a coordinator), where there is one. No edges where the name does not say which there are.
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
        // Two agents have one edge between them, not one there and one back.
        return to === undefined || (members.length === 2 && index === 1) ? [] : [{ from, to, relation: 'next' }];
      });
    case 'MESH':
      if (members.length > MAX_MESH_AGENTS) return [];
      return members.flatMap((from, index) => members.slice(index + 1).map((to) => ({ from, to, relation: 'peers' })));
    case 'OTHER':
      return [];
  }
}
