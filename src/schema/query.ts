import { AgentType } from './agent.js';
import { checkName, checkNames, viewOf } from './arguments.js';
import { builder } from './builder.js';
import { requires } from './permissions.js';
import { McpServerTypeEnum } from './enums.js';
import { HealthType } from './health.js';
import { McpServerObject } from './server.js';
import { SwarmTopologyType, SwarmType } from './swarm.js';
import { DiscoveryType } from './discovery.js';
import { ViewerType } from './viewer.js';

builder.queryFields((t) => ({
  discovery: t.field({
    type: DiscoveryType,
    extensions: requires('agents:read'),
    description: 'All that was found: servers, swarms, number of agents.',
    resolve: () => ({}),
  }),
  servers: t.field({
    type: [McpServerObject],
    extensions: requires('health:read'),
    description: 'The servers that swarmlens watches.',
    args: {
      types: t.arg({
        type: [McpServerTypeEnum],
        description: 'Only servers of these families. Empty: none; left out: all.',
      }),
    },
    resolve: (_root, { types }, { store }) => {
      checkNames('types', types);
      return [...store.servers.values()].filter((server) => types == null || types.includes(server.type));
    },
  }),
  server: t.field({
    type: McpServerObject,
    nullable: true,
    extensions: requires('health:read'),
    description: 'One server; null when there is none of that id.',
    args: { id: t.arg.id({ required: true, description: '`McpServer.id`' }) },
    resolve: (_root, { id }, { store }) => {
      checkName('id', id);
      return store.servers.get(id);
    },
  }),
  swarms: t.field({
    type: [SwarmType],
    extensions: requires('agents:read'),
    description: 'The swarms of all servers.',
    args: {
      serverTypes: t.arg({
        type: [McpServerTypeEnum],
        description: 'Only swarms that these families reported. Empty: none; left out: all.',
      }),
    },
    resolve: (_root, { serverTypes }, { store }) => {
      checkNames('serverTypes', serverTypes);
      return [...store.swarms.values()].filter(
        (swarm) => serverTypes == null || serverTypes.includes(swarm.serverType),
      );
    },
  }),
  agents: t.field({
    type: [AgentType],
    extensions: requires('agents:read'),
    description: 'The agents of all servers. The filters are a conjunction.',
    args: {
      serverTypes: t.arg({
        type: [McpServerTypeEnum],
        description: 'Only agents that these families reported. Empty: none; left out: all.',
      }),
      agentTypes: t.arg.stringList({
        description: 'Only agents of these types, in any case. Empty: none; left out: all.',
      }),
      swarmIds: t.arg.idList({
        description:
          'Only agents of these swarms; a swarm that is not there yet is no error. Empty: none; left out: all.',
      }),
    },
    resolve: (_root, args, { store }) => store.agentsIn(viewOf(args)),
  }),
  agent: t.field({
    type: AgentType,
    nullable: true,
    extensions: requires('agents:read'),
    description: 'One agent; null when there is none of that id.',
    args: { id: t.arg.id({ required: true, description: '`Agent.id`' }) },
    resolve: (_root, { id }, { store }) => {
      checkName('id', id);
      return store.agents.get(id);
    },
  }),
  topology: t.field({
    type: SwarmTopologyType,
    nullable: true,
    extensions: requires('agents:read'),
    description: 'The topology of a swarm; null when there is none of that id.',
    args: { swarmId: t.arg.id({ required: true, description: '`Swarm.id`' }) },
    resolve: (_root, { swarmId }, { store }) => {
      checkName('swarmId', swarmId);
      const swarm = store.swarms.get(swarmId);
      return swarm === undefined ? null : { swarm };
    },
  }),
  health: t.field({
    type: HealthType,
    extensions: requires('health:read'),
    description: 'Health of the servers and of this node.',
    resolve: (_root, _args, { store, nodeHealth }) => ({ node: nodeHealth(), servers: [...store.servers.values()] }),
  }),
  viewer: t.field({
    type: ViewerType,
    extensions: requires(null),
    description: 'Who you are to this server, and what you may see and do.',
    resolve: (_root, _args, { viewer }) => viewer,
  }),
}));
