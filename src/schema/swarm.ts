import type { Swarm, TopologyEdge, TopologyKind } from '../model/index.js';
import { createView, type TopologyChange } from '../state/index.js';
import { AgentRef } from './agent.js';
import { builder } from './builder.js';
import { McpServerTypeEnum, TopologyKindEnum, UpdateKindEnum } from './enums.js';

export const SwarmRef = builder.objectRef<Swarm>('Swarm').implement({
  description:
    'A swarm of agents on one server. What it counts of its tasks is null for viewers who see only some types of agents, or no performance.',
  fields: (t) => ({
    id: t.exposeID('id', { description: '`<serverId>:<nativeId>`, unique over all servers.' }),
    nativeId: t.exposeID('nativeId', { description: "The server's own id of it." }),
    serverId: t.exposeID('serverId', { description: 'The server that runs it.' }),
    serverType: t.expose('serverType', { type: McpServerTypeEnum, description: 'The family that reported it.' }),
    name: t.exposeString('name', { nullable: true, description: 'Null where the server gives no name.' }),
    status: t.exposeString('status', { nullable: true, description: "Lower case, in the server's own words." }),
    topology: t.expose('topology', {
      type: TopologyKindEnum,
      nullable: true,
      description: 'Null where it is not reported.',
    }),
    topologyName: t.exposeString('topologyName', {
      nullable: true,
      description: "The topology in the server's own words.",
    }),
    strategy: t.exposeString('strategy', {
      nullable: true,
      description: 'How it distributes its work, in its own words.',
    }),
    maxAgents: t.exposeInt('maxAgents', { nullable: true, description: 'How many agents it may have.' }),
    agentCount: t.int({
      description: 'Agents of it in the picture that the viewer sees.',
      resolve: ({ id }, _args, { store }) => store.agentsMatching(createView({ swarmIds: [id] })).length,
    }),
    tasksTotal: t.exposeInt('tasksTotal', { nullable: true, description: 'Tasks it was given.' }),
    tasksActive: t.exposeInt('tasksActive', { nullable: true, description: 'Tasks not ended.' }),
    tasksCompleted: t.exposeInt('tasksCompleted', { nullable: true, description: 'Tasks ended well.' }),
    stale: t.exposeBoolean('stale', { description: 'Its server does not answer: these are its last known values.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', nullable: true, description: 'When it was made.' }),
  }),
});

export const TopologyEdgeRef = builder.objectRef<TopologyEdge>('TopologyEdge').implement({
  description: 'A connection between two agents of a swarm.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Unique over all servers, made of its swarm and its ends.' }),
    swarmId: t.exposeID('swarmId', { description: 'The swarm it belongs to.' }),
    from: t.exposeID('from', { description: '`Agent.id` of its beginning.' }),
    to: t.exposeID('to', { description: '`Agent.id` of its end.' }),
    relation: t.exposeString('relation', { description: 'leads, peers, next, or a word of the server.' }),
    inferred: t.exposeBoolean('inferred', {
      description: "True when it is derived from the topology's name, false when the server reported it.",
    }),
  }),
});

export interface SwarmTopology {
  readonly swarm: Swarm;
}

export const SwarmTopologyRef = builder.objectRef<SwarmTopology>('SwarmTopology').implement({
  description: 'The whole topology of a swarm.',
  fields: (t) => ({
    swarmId: t.id({ description: 'The swarm.', resolve: ({ swarm }) => swarm.id }),
    swarm: t.expose('swarm', { type: SwarmRef, description: 'The swarm itself.' }),
    topology: t.field({
      type: TopologyKindEnum,
      nullable: true,
      description: 'Its shape; null where it is not reported. A mesh of more than 64 agents has no edges listed.',
      resolve: ({ swarm }): TopologyKind | null => swarm.topology,
    }),
    agents: t.field({
      type: [AgentRef],
      description: 'Its agents.',
      resolve: ({ swarm }, _args, { store }) => store.agentsMatching(createView({ swarmIds: [swarm.id] })),
    }),
    edges: t.field({
      type: [TopologyEdgeRef],
      description: 'Its edges, reported and inferred.',
      resolve: ({ swarm }, _args, { store }) => [...store.edges.values()].filter((edge) => edge.swarmId === swarm.id),
    }),
  }),
});

export const TopologyChangeRef = builder.objectRef<TopologyChange>('TopologyChange').implement({
  description: 'What changed in the topology of one swarm.',
  fields: (t) => ({
    kind: t.expose('kind', { type: UpdateKindEnum, description: 'SNAPSHOT: these are all its edges.' }),
    swarmId: t.exposeID('swarmId', { description: 'The swarm.' }),
    swarm: t.expose('swarm', { type: SwarmRef, nullable: true, description: 'The swarm now; null when it is gone.' }),
    edges: t.field({
      type: [TopologyEdgeRef],
      description: 'New and changed edges.',
      resolve: (change) => [...change.edges],
    }),
    removedEdgeIds: t.field({
      type: ['ID'],
      description: 'Edges that are gone.',
      resolve: (change) => [...change.removedEdgeIds],
    }),
  }),
});
