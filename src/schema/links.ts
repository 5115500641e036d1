import { NOT_COMPILED } from '../delivery/index.js';
import { includeSameParts } from '../state/index.js';
import { AgentRef } from './agent.js';
import { builder } from './builder.js';
import { McpServerRef } from './server.js';
import { SwarmRef } from './swarm.js';
import { TaskRef } from './task.js';

/**
 * Extensions of links to other items. Links multiply the values of an answer, so that operations with links are executed within
 * their budget.
 */
const LINK = { [NOT_COMPILED]: true };

builder.objectFields(AgentRef, (t) => ({
  server: t.field({
    type: McpServerRef,
    extensions: LINK,
    description: 'Server that runs the agent.',
    resolve: ({ serverId }, _args, { store }) => store.serverOfItem(serverId),
  }),
  swarm: t.field({
    type: SwarmRef,
    nullable: true,
    extensions: LINK,
    description:
      'Swarm of the agent. Null if there is none, if the server does not report it, or if the viewer cannot see it.',
    resolve: ({ swarmId }, _args, { store }) => (swarmId === null ? null : store.swarms.get(swarmId)),
  }),
  parent: t.field({
    type: AgentRef,
    nullable: true,
    extensions: LINK,
    description:
      'Agent that started this one. Null if there is none, if the server does not report it, if the parent has ended, or if the viewer cannot see it.',
    resolve: (agent, _args, { store }) => {
      const parent = agent.parentId === null ? undefined : store.agents.get(agent.parentId);
      return parent && includeSameParts(agent, parent);
    },
  }),
  children: t.field({
    type: [AgentRef],
    extensions: LINK,
    description: 'Agents that this one has started and that the viewer can see.',
    resolve: (agent, _args, { store }) => store.childrenOf(agent.id).map((child) => includeSameParts(agent, child)),
  }),
  tasks: t.field({
    type: [TaskRef],
    extensions: LINK,
    description: 'Tasks that are assigned to the agent and that the viewer can see.',
    resolve: ({ id }, _args, { store }) => [...store.tasksOfAgent(id)],
  }),
}));

builder.objectFields(SwarmRef, (t) => ({
  agents: t.field({
    type: [AgentRef],
    extensions: LINK,
    description: 'Agents of the swarm that the viewer can see.',
    resolve: ({ id }, _args, { store }) => [...store.agentsOfSwarm(id)],
  }),
}));
