import type { Agent, AgentTopologyPosition, TopologyEdge } from '../model/index.js';

/**
 * Computes the topology position of an agent from its visible edges only. Returns null if the agent has neither a visible
 * edge nor a reported role.
 */
export function visiblePosition(agent: Agent, edges: readonly TopologyEdge[]): AgentTopologyPosition | null {
  if (agent.topology === null) return null;
  const leads = edges.some(({ relation, from }) => relation === 'leads' && from === agent.id);
  const leaders = edges.flatMap(({ relation, from, to }) => (relation === 'leads' && to === agent.id ? [from] : []));
  const role = visibleRole(agent.topology.role, leads, leaders.length > 0);
  if (edges.length === 0 && role === null) return null;
  return {
    role,
    parentId: leaders.includes(agent.topology.parentId ?? '') ? agent.topology.parentId : (leaders.sort()[0] ?? null),
    depth: leaders.length > 0 ? 1 : leads ? 0 : null,
    degree: edges.length,
    inferred: edges.length > 0 && edges.every(({ inferred }) => inferred),
  };
}

/** Returns the role of an agent. `leader` and `member` need a visible edge, because they imply one. */
function visibleRole(role: string | null, leads: boolean, isLed: boolean): string | null {
  const impliesEdge = role === 'leader' || role === 'member';
  if (!impliesEdge || (role === 'leader' && leads)) return role;
  return isLed ? 'member' : leads ? 'leader' : null;
}
