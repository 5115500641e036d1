import type { Agent, AgentTopologyPosition, TopologyEdge } from '../model/index.js';

/**
 * Where an agent stands to somebody who sees only some of the edges at it: as if the others were not there. Without
 * any edge, and without a role of its own, it stands nowhere.
 */
export function visiblePosition(agent: Agent, edges: readonly TopologyEdge[]): AgentTopologyPosition | null {
  if (agent.topology === null) return null;
  const leads = edges.some(({ relation, from }) => relation === 'leads' && from === agent.id);
  const leaders = edges.flatMap(({ relation, from, to }) => (relation === 'leads' && to === agent.id ? [from] : []));
  const role = roleAmong(agent.topology.role, leads, leaders.length > 0);
  if (edges.length === 0 && role === null) return null;
  return {
    role,
    parentId: leaders.includes(agent.topology.parentId ?? '') ? agent.topology.parentId : (leaders.sort()[0] ?? null),
    depth: leaders.length > 0 ? 1 : leads ? 0 : null,
    degree: edges.length,
    inferred: edges.length > 0 && edges.every(({ inferred }) => inferred),
  };
}

/** `leader` and `member` say that there is an edge: they need one that is seen. Any other role is the server's word. */
function roleAmong(role: string | null, leads: boolean, isLed: boolean): string | null {
  const isOfEdges = role === 'leader' || role === 'member';
  if (!isOfEdges || (role === 'leader' && leads) || (role === 'member' && isLed)) return role;
  return isLed ? 'member' : leads ? 'leader' : null;
}
