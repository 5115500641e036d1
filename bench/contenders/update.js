// The update that the contenders other than swarmlens send: plain objects, made once for each tick.
import { createView, encodeCursor } from '../../dist/state/index.js';
import { variablesOf } from '../delivery/operation.js';

/** Makes updates whose cursors are as long as those of swarmlens for the same filters. */
export function updateMaker(picture, { filters, hz }) {
  const view = createView(variablesOf(filters, 0, hz));
  return (kind, agents) => ({
    kind,
    cursor: encodeCursor(picture.store.epoch, { revision: picture.store.revision, view }),
    agents,
    removedAgentIds: [],
    staleServerIds: [],
  });
}

/** Agents that filters let through. */
export function matching(agents, { agentTypes, swarmIds }) {
  if (agentTypes == null && swarmIds == null) return agents;
  return agents.filter(
    ({ type, swarmId }) =>
      (agentTypes == null || agentTypes.includes(type)) && (swarmIds == null || swarmIds.includes(swarmId)),
  );
}
