import { AgentRef } from './agent.js';
import { validateName, validateNames, parseViewArguments } from './arguments.js';
import { builder } from './builder.js';
import { permissionExtension } from './field-extensions.js';
import { McpServerTypeEnum } from './enums.js';
import { HealthRef } from './health.js';
import { McpServerRef } from './server.js';
import { SwarmTopologyRef, SwarmRef } from './swarm.js';
import { DiscoveryRef } from './discovery.js';
import { ViewerRef } from './viewer.js';

builder.queryFields((t) => ({
  discovery: t.field({
    type: DiscoveryRef,
    extensions: permissionExtension('agents:read'),
    description: 'All that was found: servers, swarms, number of agents.',
    resolve: () => ({}),
  }),
  servers: t.field({
    type: [McpServerRef],
    extensions: permissionExtension('health:read'),
    description: 'The servers that swarmlens watches.',
    args: {
      types: t.arg({
        type: [McpServerTypeEnum],
        description: 'Only servers of these families. Empty: none; left out: all.',
      }),
    },
    resolve: (_root, { types }, { store }) => {
      validateNames('types', types);
      return [...store.servers.values()].filter((server) => types == null || types.includes(server.type));
    },
  }),
  server: t.field({
    type: McpServerRef,
    nullable: true,
    extensions: permissionExtension('health:read'),
    description: 'One server; null when there is none of that id.',
    args: { id: t.arg.id({ required: true, description: '`McpServer.id`' }) },
    resolve: (_root, { id }, { store }) => {
      validateName('id', id);
      return store.servers.get(id);
    },
  }),
  swarms: t.field({
    type: [SwarmRef],
    extensions: permissionExtension('agents:read'),
    description: 'The swarms of all servers.',
    args: {
      serverTypes: t.arg({
        type: [McpServerTypeEnum],
        description: 'Only swarms that these families reported. Empty: none; left out: all.',
      }),
    },
    resolve: (_root, { serverTypes }, { store }) => {
      validateNames('serverTypes', serverTypes);
      return [...store.swarms.values()].filter(
        (swarm) => serverTypes == null || serverTypes.includes(swarm.serverType),
      );
    },
  }),
  agents: t.field({
    type: [AgentRef],
    extensions: permissionExtension('agents:read'),
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
    resolve: (_root, args, { store }) => store.agentsMatching(parseViewArguments(args)),
  }),
  agent: t.field({
    type: AgentRef,
    nullable: true,
    extensions: permissionExtension('agents:read'),
    description: 'One agent; null when there is none of that id.',
    args: { id: t.arg.id({ required: true, description: '`Agent.id`' }) },
    resolve: (_root, { id }, { store }) => {
      validateName('id', id);
      return store.agents.get(id);
    },
  }),
  topology: t.field({
    type: SwarmTopologyRef,
    nullable: true,
    extensions: permissionExtension('agents:read'),
    description: 'The topology of a swarm; null when there is none of that id.',
    args: { swarmId: t.arg.id({ required: true, description: '`Swarm.id`' }) },
    resolve: (_root, { swarmId }, { store }) => {
      validateName('swarmId', swarmId);
      const swarm = store.swarms.get(swarmId);
      return swarm === undefined ? null : { swarm };
    },
  }),
  health: t.field({
    type: HealthRef,
    extensions: permissionExtension('health:read'),
    description: 'Health of the servers and of this node.',
    resolve: (_root, _args, { store, nodeHealth }) => ({ node: nodeHealth(), servers: [...store.servers.values()] }),
  }),
  viewer: t.field({
    type: ViewerRef,
    extensions: permissionExtension(null),
    description: 'Who you are to this server, and what you may see and do.',
    resolve: (_root, _args, { viewer }) => viewer,
  }),
}));
