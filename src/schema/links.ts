import { NOT_COMPILED } from '../delivery/index.js';
import { includeSameParts, type SessionLink } from '../state/index.js';
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

const SwarmSessionRef = builder.objectRef<SessionLink>('SwarmSession').implement({
  description: 'Session of a coding agent that does the work of a swarm.',
  fields: (t) => ({
    agentId: t.id({ description: "Id of the session's agent.", resolve: ({ agent }) => agent.id }),
    agent: t.field({
      type: AgentRef,
      extensions: LINK,
      description: "The session's agent.",
      resolve: ({ agent }) => agent,
    }),
    inferred: t.exposeBoolean('inferred', {
      description:
        'Whether the link is derived from the working directory. Otherwise, a process of the session has started the server.',
    }),
  }),
});

builder.objectFields(SwarmRef, (t) => ({
  session: t.field({
    type: SwarmSessionRef,
    nullable: true,
    extensions: LINK,
    description:
      'Live session of a coding agent that does the work of the swarm. Null if there is none, if several sessions fit, if the viewer cannot see it, or if the swarm is a session itself. A change of the session is no change of the swarm.',
    resolve: (swarm, _args, { store }) => store.sessionOfSwarm(swarm),
  }),
  agents: t.field({
    type: [AgentRef],
    extensions: LINK,
    description: 'Agents of the swarm that the viewer can see.',
    resolve: ({ id }, _args, { store }) => [...store.agentsOfSwarm(id)],
  }),
}));
