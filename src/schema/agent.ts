import type { Agent, AgentNeural, AgentPerformance, AgentTopologyPosition } from '../model/index.js';
import { RENDER_ONCE } from '../delivery/index.js';
import { builder } from './builder.js';
import { AgentStatusEnum, McpServerTypeEnum } from './enums.js';

const AgentPerformanceType = builder.objectRef<AgentPerformance>('AgentPerformance').implement({
  description:
    "An agent's work, as its server reports it. A value that the server does not report is null, never invented.",
  fields: (t) => ({
    cpuUsage: t.exposeFloat('cpuUsage', { nullable: true, description: 'CPU in use, 0..1.' }),
    memoryUsage: t.exposeFloat('memoryUsage', { nullable: true, description: 'Memory in use, 0..1.' }),
    healthScore: t.exposeFloat('healthScore', {
      nullable: true,
      description: 'Health as the server declares it, 0..1; seldom measured by it.',
    }),
    activityLevel: t.exposeFloat('activityLevel', { nullable: true, description: 'How busy it is, 0..1.' }),
    tasksActive: t.exposeInt('tasksActive', { nullable: true, description: 'Tasks assigned and not ended.' }),
    tasksCompleted: t.exposeInt('tasksCompleted', { nullable: true, description: 'Tasks ended well.' }),
    tasksFailed: t.exposeInt('tasksFailed', { nullable: true, description: 'Tasks ended badly.' }),
    successRate: t.exposeFloat('successRate', { nullable: true, description: 'Share of tasks ended well, 0..1.' }),
    tokenUsage: t.exposeFloat('tokenUsage', { nullable: true, description: 'Tokens used since the agent began.' }),
    tokenRate: t.exposeFloat('tokenRate', { nullable: true, description: 'Tokens a second.' }),
    responseTimeMs: t.exposeFloat('responseTimeMs', { nullable: true, description: 'Response time in milliseconds.' }),
    throughput: t.exposeFloat('throughput', { nullable: true, description: 'Tasks a second.' }),
  }),
});

const AgentNeuralType = builder.objectRef<AgentNeural>('AgentNeural').implement({
  description: "An agent's way of thinking, as its server reports it; null where it does not.",
  fields: (t) => ({
    cognitivePattern: t.exposeString('cognitivePattern', {
      nullable: true,
      description: 'Lower case, open vocabulary: convergent, divergent, lateral, systems, critical, adaptive, …',
    }),
    networkId: t.exposeString('networkId', { nullable: true, description: "The server's id of its neural network." }),
    adaptations: t.exposeInt('adaptations', { nullable: true, description: 'Adaptations since the agent began.' }),
    learningRate: t.exposeFloat('learningRate', { nullable: true, description: 'Learning rate, 0..1.' }),
  }),
});

const AgentTopologyPositionType = builder.objectRef<AgentTopologyPosition>('AgentTopologyPosition').implement({
  description: 'Where an agent stands in the topology of its swarm, by the edges that the viewer sees.',
  fields: (t) => ({
    role: t.exposeString('role', { nullable: true, description: 'Lower case: queen, worker, leader, member, …' }),
    parentId: t.exposeID('parentId', { nullable: true, description: 'Id of the agent above it; null at the top.' }),
    depth: t.exposeInt('depth', { nullable: true, description: 'Steps from the top; null where there is no top.' }),
    degree: t.exposeInt('degree', { description: 'Edges at this agent that the viewer sees.' }),
    inferred: t.exposeBoolean('inferred', {
      description: "True when it follows from the topology's name, false when the server reported it.",
    }),
  }),
});

export const AgentRef = builder.objectRef<Agent>('Agent').implement({
  description: 'An agent of some swarm, whatever server runs it.',
  extensions: { [RENDER_ONCE]: true },
  fields: (t) => ({
    id: t.exposeID('id', { description: '`<serverId>:<nativeId>`, unique over all servers.' }),
    nativeId: t.exposeID('nativeId', { description: "The server's own id of it." }),
    serverId: t.exposeID('serverId', { description: 'The server that runs it, as named in the configuration.' }),
    serverType: t.expose('serverType', { type: McpServerTypeEnum, description: 'The family that reported it.' }),
    swarmId: t.exposeID('swarmId', {
      nullable: true,
      description: '`<serverId>:<native swarm id>`; null when the server does not tell its swarm.',
    }),
    name: t.exposeString('name', { description: 'Its name; its native id where the server gives no name.' }),
    type: t.exposeString('type', {
      description:
        'Lower case, open vocabulary: coordinator, coder, researcher, …; `unknown` where the server does not say.',
    }),
    status: t.expose('status', { type: AgentStatusEnum, description: 'What it is doing.' }),
    capabilities: t.field({
      type: ['String'],
      description: 'What it can do, in its own words; empty where the server does not say.',
      resolve: (agent) => [...agent.capabilities],
    }),
    performance: t.expose('performance', {
      type: AgentPerformanceType,
      nullable: true,
      description: 'Null when the server reports nothing of it, or the stream leaves it out.',
    }),
    neural: t.expose('neural', {
      type: AgentNeuralType,
      nullable: true,
      description: 'Null when the server reports nothing of it, or the stream leaves it out.',
    }),
    topology: t.expose('topology', {
      type: AgentTopologyPositionType,
      nullable: true,
      description: 'Null when its swarm has no known topology, or the stream leaves it out.',
    }),
    stale: t.exposeBoolean('stale', {
      description: 'Its server, or the tool that lists it, does not answer: these are its last known values.',
    }),
    simulated: t.exposeBoolean('simulated', { description: 'Made by a simulated server; not real.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', nullable: true, description: 'When it was made.' }),
    lastActiveAt: t.expose('lastActiveAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it last did something, as the server tells it.',
    }),
    lastSeenAt: t.field({
      type: 'DateTime',
      description:
        'When its server last reported it. It moves with every poll, so by itself it is no change: a stream sends it along with one.',
      resolve: (agent, _args, { store }) => store.lastSeenAt(agent),
    }),
  }),
});
