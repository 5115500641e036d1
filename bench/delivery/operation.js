// Subscription of all subscribers, and the filters that distinguish them.

export const SUBSCRIPTION = `subscription Agents($agentTypes: [String!], $swarmIds: [ID!], $mode: PerformanceMode) {
  agentUpdates(agentTypes: $agentTypes, swarmIds: $swarmIds, mode: $mode) {
    kind cursor removedAgentIds staleServerIds
    agents {
      performance { tokenUsage tasksActive tasksCompleted healthScore }
      id serverId type status swarmId stale name topology { role parentId }
    }
  }
}`;

export const AGENT_TYPES = ['analyst', 'architect', 'coder', 'researcher', 'tester'];
export const SWARMS = 40;

export function formatSwarmId(number) {
  return `bench:swarm-${String(number % SWARMS).padStart(2, '0')}`;
}

const MODES = { 1: 'LOW_FREQUENCY', 10: 'NORMAL', 60: 'HIGH_FREQUENCY' };

/**
 * Returns the variables of subscriber `index`.
 *
 * - `equal`: no filters
 * - `distinct`: a different filter for each subscriber that matches all agents, so that all receive equal bytes
 * - `subsets`: a different half of the swarms for each subscriber, with the same number of agents
 */
export function createVariables(filters, index, hz) {
  const mode = MODES[hz];
  if (filters === 'distinct') return { mode, agentTypes: [...AGENT_TYPES, `other-${String(index).padStart(5, '0')}`] };
  if (filters === 'subsets') return { mode, swarmIds: halfOfSwarms(index) };
  return { mode };
}

function halfOfSwarms(index) {
  const numbers = Array.from({ length: SWARMS }, (_, number) => number);
  let seed = index + 1;
  for (let at = SWARMS - 1; at > 0; at -= 1) {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    const other = Math.floor((seed / 2 ** 32) * (at + 1));
    [numbers[at], numbers[other]] = [numbers[other], numbers[at]];
  }
  return numbers.slice(0, SWARMS / 2).map(formatSwarmId);
}
