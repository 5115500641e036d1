import type { Swarm, TopologyEdge, TopologyKind } from '../model/index.js';
import type { TopologyChange } from '../state/index.js';
import { AgentRef } from './agent.js';
import { builder } from './builder.js';
import { McpServerTypeEnum, TopologyKindEnum, UpdateKindEnum } from './enums.js';

export const SwarmRef = builder.objectRef<Swarm>('Swarm').implement({
  description:
    'Swarm of agents on one server. Task counts are null for viewers who can see only some agent types, or no performance data.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Global id, `<serverId>:<nativeId>`.' }),
    nativeId: t.exposeID('nativeId', { description: 'Id of the swarm on its server.' }),
    serverId: t.exposeID('serverId', { description: 'Id of the server that runs the swarm.' }),
    serverType: t.expose('serverType', {
      type: McpServerTypeEnum,
      description: 'Server type whose tools reported the swarm.',
    }),
    name: t.exposeString('name', {
      nullable: true,
      description: 'Name of the swarm. Null if the server reports none.',
    }),
    status: t.exposeString('status', {
      nullable: true,
      description: 'Status as the server names it, in lower case. Null if the server does not report it.',
    }),
    topology: t.expose('topology', {
      type: TopologyKindEnum,
      nullable: true,
      description: 'Standard topology. Null if the server does not report it.',
    }),
    topologyName: t.exposeString('topologyName', {
      nullable: true,
      description: 'Topology as the server names it. Null if the server does not report it.',
    }),
    strategy: t.exposeString('strategy', {
      nullable: true,
      description: 'Strategy of work distribution as the server names it. Null if the server does not report it.',
    }),
    maxAgents: t.exposeInt('maxAgents', {
      nullable: true,
      description: 'Maximum number of agents. Null if the server does not report it.',
    }),
    agentCount: t.int({
      description: 'Number of known agents of the swarm that the viewer can see.',
      resolve: ({ id }, _args, { store }) => store.countSwarmAgents(id),
    }),
    tasksTotal: t.exposeInt('tasksTotal', {
      nullable: true,
      description: 'Number of all tasks. Null if the server does not report it.',
    }),
    tasksActive: t.exposeInt('tasksActive', {
      nullable: true,
      description: 'Number of tasks that have not ended. Null if the server does not report it.',
    }),
    tasksCompleted: t.exposeInt('tasksCompleted', {
      nullable: true,
      description: 'Number of successfully completed tasks. Null if the server does not report it.',
    }),
    stale: t.exposeBoolean('stale', {
      description: 'Whether the values are the last known ones because the server does not answer.',
    }),
    createdAt: t.expose('createdAt', {
      type: 'DateTime',
      nullable: true,
      description: 'Time at which the swarm was created. Null if the server does not report it.',
    }),
  }),
});

export const TopologyEdgeRef = builder.objectRef<TopologyEdge>('TopologyEdge').implement({
  description: 'Connection between two agents of a swarm.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Global id of the edge, derived from its swarm and its two agents.' }),
    swarmId: t.exposeID('swarmId', { description: 'Id of the swarm.' }),
    from: t.exposeID('from', { description: 'Id of the agent at the start of the edge.' }),
    to: t.exposeID('to', { description: 'Id of the agent at the end of the edge.' }),
    relation: t.exposeString('relation', {
      description: 'Relation of the two agents: leads, peers, next, or a relation that the server reports.',
    }),
    inferred: t.exposeBoolean('inferred', {
      description: 'Whether the edge is derived from the name of the topology instead of reported by the server.',
    }),
  }),
});

export interface SwarmTopology {
  readonly swarm: Swarm;
}

export const SwarmTopologyRef = builder.objectRef<SwarmTopology>('SwarmTopology').implement({
  description: 'Complete topology of a swarm.',
  fields: (t) => ({
    swarmId: t.id({ description: 'Id of the swarm.', resolve: ({ swarm }) => swarm.id }),
    swarm: t.expose('swarm', { type: SwarmRef, description: 'Swarm of the topology.' }),
    topology: t.field({
      type: TopologyKindEnum,
      nullable: true,
      description:
        'Standard topology. Null if the server does not report it. Edges of meshes with more than 64 agents are omitted.',
      resolve: ({ swarm }): TopologyKind | null => swarm.topology,
    }),
    agents: t.field({
      type: [AgentRef],
      description: 'Agents of the swarm.',
      resolve: ({ swarm }, _args, { store }) => [...store.agentsOfSwarm(swarm.id)],
    }),
    edges: t.field({
      type: [TopologyEdgeRef],
      description: 'Edges between the agents, reported and inferred.',
      resolve: ({ swarm }, _args, { store }) => [...store.edgesOfSwarm(swarm.id)],
    }),
  }),
});

export const TopologyChangeRef = builder.objectRef<TopologyChange>('TopologyChange').implement({
  description: 'Change in the topology of one swarm.',
  fields: (t) => ({
    kind: t.expose('kind', {
      type: UpdateKindEnum,
      description: 'Kind of the change. A SNAPSHOT contains all edges of the swarm.',
    }),
    swarmId: t.exposeID('swarmId', { description: 'Id of the swarm.' }),
    swarm: t.expose('swarm', {
      type: SwarmRef,
      nullable: true,
      description: 'Current state of the swarm. Null if the swarm was removed.',
    }),
    edges: t.field({
      type: [TopologyEdgeRef],
      description: 'New and changed edges.',
      resolve: (change) => [...change.edges],
    }),
    removedEdgeIds: t.field({
      type: ['ID'],
      description: 'Ids of removed edges.',
      resolve: (change) => [...change.removedEdgeIds],
    }),
  }),
});
