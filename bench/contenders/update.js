// Updates of the other servers: plain objects, created once per tick.
import { createView, encodeCursor } from '../../dist/state/index.js';
import { createVariables } from '../delivery/operation.js';

/** Returns a function that creates updates. Their cursors are as long as those of swarmlens for the same filters. */
export function createUpdateFactory(state, { filters, hz }) {
  const view = createView(createVariables(filters, 0, hz));
  return (kind, agents) => ({
    kind,
    cursor: encodeCursor(state.store.epoch, { revision: state.store.revision, view }),
    agents,
    removedAgentIds: [],
    staleServerIds: [],
  });
}

/** Returns the agents that match the filters. */
export function filterAgents(agents, { agentTypes, swarmIds }) {
  if (agentTypes == null && swarmIds == null) return agents;
  return agents.filter(
    ({ type, swarmId }) =>
      (agentTypes == null || agentTypes.includes(type)) && (swarmIds == null || swarmIds.includes(swarmId)),
  );
}
