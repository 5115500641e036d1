import type { Notice } from '../model/index.js';
import type { Store } from '../state/index.js';
import { AgentRef } from './agent.js';
import { argumentError, validateName, validateNames, parseTaskViewArguments, parseViewArguments } from './arguments.js';
import { builder } from './builder.js';
import { permissionExtension } from './field-extensions.js';
import { McpServerTypeEnum, TaskStatusEnum } from './enums.js';
import { NoticeRef } from './events.js';
import { HealthRef } from './health.js';
import { McpServerRef } from './server.js';
import { SwarmTopologyRef, SwarmRef } from './swarm.js';
import { TaskRef } from './task.js';
import { DiscoveryRef } from './discovery.js';
import { ViewerRef } from './viewer.js';

const DEFAULT_NOTICES = 20;
const MAX_NOTICES = 1_024;

builder.queryFields((t) => ({
  discovery: t.field({
    type: DiscoveryRef,
    extensions: permissionExtension('agents:read'),
    description: 'Returns the servers and swarms, the number of agents, and discovery candidates.',
    resolve: () => ({}),
  }),
  servers: t.field({
    type: [McpServerRef],
    extensions: permissionExtension('health:read'),
    description: 'Returns the connected MCP servers.',
    args: {
      types: t.arg({
        type: [McpServerTypeEnum],
        description: 'Only servers of these types. Empty: none. Omitted: all.',
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
    description: 'Returns one server. Null if the id is unknown.',
    args: { id: t.arg.id({ required: true, description: 'Id of the server.' }) },
    resolve: (_root, { id }, { store }) => {
      validateName('id', id);
      return store.servers.get(id);
    },
  }),
  swarms: t.field({
    type: [SwarmRef],
    extensions: permissionExtension('agents:read'),
    description: 'Returns the swarms of all servers.',
    args: {
      serverTypes: t.arg({
        type: [McpServerTypeEnum],
        description: 'Only swarms of these server types. Empty: none. Omitted: all.',
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
    description: 'Returns the agents of all servers. Filters are combined with AND.',
    args: {
      serverTypes: t.arg({
        type: [McpServerTypeEnum],
        description: 'Only agents of these server types. Empty: none. Omitted: all.',
      }),
      agentTypes: t.arg.stringList({
        description: 'Only agents of these types, case-insensitive. Empty: none. Omitted: all.',
      }),
      swarmIds: t.arg.idList({
        description: 'Only agents of these swarms. Unknown swarm ids are allowed. Empty: none. Omitted: all.',
      }),
    },
    resolve: (_root, args, { store }) => store.agentsMatching(parseViewArguments(args)),
  }),
  agent: t.field({
    type: AgentRef,
    nullable: true,
    extensions: permissionExtension('agents:read'),
    description: 'Returns one agent. Null if the id is unknown.',
    args: { id: t.arg.id({ required: true, description: 'Id of the agent.' }) },
    resolve: (_root, { id }, { store }) => {
      validateName('id', id);
      return store.agents.get(id);
    },
  }),
  tasks: t.field({
    type: [TaskRef],
    extensions: permissionExtension('agents:read'),
    description: 'Returns the tasks of all servers. Filters are combined with AND.',
    args: {
      serverTypes: t.arg({
        type: [McpServerTypeEnum],
        description: 'Only tasks of these server types. Empty: none. Omitted: all.',
      }),
      swarmIds: t.arg.idList({
        description: 'Only tasks of these swarms. Unknown swarm ids are allowed. Empty: none. Omitted: all.',
      }),
      agentIds: t.arg.idList({
        description:
          'Only tasks that are assigned to any of these agents. Unknown agent ids are allowed. Empty: none. Omitted: all.',
      }),
      statuses: t.arg({
        type: [TaskStatusEnum],
        description: 'Only tasks with any of these statuses. Empty: none. Omitted: all.',
      }),
    },
    resolve: (_root, { statuses, ...filters }, { store }) => {
      validateNames('statuses', statuses);
      const tasks = store.tasksMatching(parseTaskViewArguments(filters));
      return statuses == null ? tasks : tasks.filter(({ status }) => statuses.includes(status));
    },
  }),
  topology: t.field({
    type: SwarmTopologyRef,
    nullable: true,
    extensions: permissionExtension('agents:read'),
    description: 'Returns the topology of a swarm. Null if the id is unknown.',
    args: { swarmId: t.arg.id({ required: true, description: 'Id of the swarm.' }) },
    resolve: (_root, { swarmId }, { store }) => {
      validateName('swarmId', swarmId);
      const swarm = store.swarms.get(swarmId);
      return swarm === undefined ? null : { swarm };
    },
  }),
  health: t.field({
    type: HealthRef,
    extensions: permissionExtension('health:read'),
    description: 'Returns the health of the servers and of this node.',
    resolve: (_root, _args, { store, nodeHealth }) => ({ node: nodeHealth(), servers: [...store.servers.values()] }),
  }),
  notices: t.field({
    type: [NoticeRef],
    extensions: permissionExtension('health:read'),
    description:
      'Returns the latest notices, oldest first. The node keeps the latest 1,024 notices and changes of health, in memory only.',
    args: {
      last: t.arg.int({
        defaultValue: DEFAULT_NOTICES,
        description: 'Maximum number of notices, 1 to 1,024. Omitted: 20.',
      }),
    },
    resolve: (_root, { last }, { store }) => {
      const count = last ?? DEFAULT_NOTICES;
      if (count < 1 || count > MAX_NOTICES) {
        throw argumentError('last', `is ${count}, expected a whole number from 1 to ${MAX_NOTICES}`);
      }
      return latestNotices(store, count).map((notice) => ({ ...notice, missed: 0 }));
    },
  }),
  viewer: t.field({
    type: ViewerRef,
    extensions: permissionExtension(null),
    description: 'Returns the viewer with its permissions and restriction.',
    resolve: (_root, _args, { viewer }) => viewer,
  }),
}));

/** Returns the latest notices that the viewer may see, oldest first. */
function latestNotices(store: Store, count: number): readonly Notice[] {
  return store.events
    .since(0)
    .events.filter((event) => event.type === 'notice')
    .slice(-count);
}
