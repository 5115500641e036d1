import {
  type Agent,
  type AgentActivity,
  type AgentNeural,
  type AgentPerformance,
  type AgentTopologyPosition,
  type AgentUsage,
  type ContextWindow,
  mapNeuralFields,
  mapPerformanceFields,
  NEURAL_FIELDS,
  PERFORMANCE_FIELDS,
} from '../model/index.js';
import { RENDER_ONCE } from '../delivery/index.js';
import { builder } from './builder.js';
import { ActivityKindEnum, AgentStatusEnum, McpServerTypeEnum, WaitReasonEnum } from './enums.js';

const AgentPerformanceType = builder.objectRef<AgentPerformance>('AgentPerformance').implement({
  description: 'Performance of an agent. A value is null if the server does not report it.',
  fields: (t) =>
    mapPerformanceFields((name) => {
      const { kind, description } = PERFORMANCE_FIELDS[name];
      const options = { nullable: true, description } as const;
      return kind === 'count' ? t.exposeInt(name, options) : t.exposeFloat(name, options);
    }),
});

const AgentNeuralType = builder.objectRef<AgentNeural>('AgentNeural').implement({
  description: 'Neural state of an agent. A value is null if the server does not report it.',
  fields: (t) =>
    mapNeuralFields(
      (name) => t.exposeString(name, { nullable: true, description: NEURAL_FIELDS[name].description }),
      (name) => {
        const { kind, description } = NEURAL_FIELDS[name];
        const options = { nullable: true, description } as const;
        return kind === 'count' ? t.exposeInt(name, options) : t.exposeFloat(name, options);
      },
    ),
});

const AgentTopologyPositionType = builder.objectRef<AgentTopologyPosition>('AgentTopologyPosition').implement({
  description: 'Position of an agent in the topology of its swarm, computed from the edges that the viewer can see.',
  fields: (t) => ({
    role: t.exposeString('role', {
      nullable: true,
      description: 'Role in lower case: queen, worker, leader, member, …',
    }),
    parentId: t.exposeID('parentId', { nullable: true, description: 'Id of the parent agent. Null at the top.' }),
    depth: t.exposeInt('depth', {
      nullable: true,
      description: 'Number of steps from the top. Null if the topology has no top.',
    }),
    degree: t.exposeInt('degree', { description: 'Number of edges of the agent that the viewer can see.' }),
    inferred: t.exposeBoolean('inferred', {
      description: "Whether the position is derived from the topology's name instead of reported by the server.",
    }),
  }),
});

const AgentActivityType = builder.objectRef<AgentActivity>('AgentActivity').implement({
  description: 'Work that an agent does now.',
  fields: (t) => ({
    kind: t.expose('kind', { type: ActivityKindEnum, description: 'Kind of the work.' }),
    label: t.exposeString('label', {
      nullable: true,
      description: 'Name of the tool, of the model or of the work. Null if the server does not report it.',
    }),
    detail: t.exposeString('detail', {
      nullable: true,
      description: 'Text about the work. Null if the server reports none, or may not show text.',
    }),
    since: t.expose('since', {
      type: 'DateTime',
      nullable: true,
      description: 'Start of the work. Null if the server does not report it.',
    }),
    waitingFor: t.expose('waitingFor', {
      type: WaitReasonEnum,
      nullable: true,
      description: 'Reason for the wait. Null unless the agent waits for a person.',
    }),
    inferred: t.exposeBoolean('inferred', {
      description: 'Whether the activity is derived from other facts instead of reported.',
    }),
  }),
});

const AgentUsageType = builder.objectRef<AgentUsage>('AgentUsage').implement({
  description:
    'Tokens and cost of an agent since its start, without those of its children. A value is null if the server does not report it.',
  fields: (t) => ({
    inputTokens: t.exposeFloat('inputTokens', {
      nullable: true,
      description: 'Number of input tokens, without those that were read from or written to a cache.',
    }),
    outputTokens: t.exposeFloat('outputTokens', { nullable: true, description: 'Number of output tokens.' }),
    cacheReadTokens: t.exposeFloat('cacheReadTokens', {
      nullable: true,
      description: 'Number of input tokens that were read from a cache.',
    }),
    cacheWriteTokens: t.exposeFloat('cacheWriteTokens', {
      nullable: true,
      description: 'Number of input tokens that were written to a cache.',
    }),
    totalTokens: t.exposeFloat('totalTokens', { nullable: true, description: 'Number of tokens of all kinds.' }),
    costUsd: t.exposeFloat('costUsd', { nullable: true, description: 'Cost in US dollars.' }),
    costEstimated: t.exposeBoolean('costEstimated', {
      description: 'Whether `costUsd` is computed from tokens and list prices instead of measured.',
    }),
    complete: t.exposeBoolean('complete', {
      description: 'Whether the numbers include everything that the agent used. Otherwise, they are lower limits.',
    }),
  }),
});

const ContextWindowType = builder.objectRef<ContextWindow>('ContextWindow').implement({
  description: 'Context window of the model that an agent uses. A value is null if the server does not report it.',
  fields: (t) => ({
    usedTokens: t.exposeFloat('usedTokens', { nullable: true, description: 'Number of tokens in the context.' }),
    limitTokens: t.exposeFloat('limitTokens', {
      nullable: true,
      description: 'Maximum number of tokens in the context.',
    }),
    usedRatio: t.exposeFloat('usedRatio', { nullable: true, description: 'Used share of the context, 0 to 1.' }),
  }),
});

export const AgentRef = builder.objectRef<Agent>('Agent').implement({
  description: 'Agent of any connected server.',
  extensions: { [RENDER_ONCE]: true },
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Global id, `<serverId>:<nativeId>`.' }),
    nativeId: t.exposeID('nativeId', { description: 'Id of the agent on its server.' }),
    serverId: t.exposeID('serverId', {
      description: 'Id of the server that runs the agent: its name in the configuration.',
    }),
    serverType: t.expose('serverType', {
      type: McpServerTypeEnum,
      description: 'Server type whose tools reported the agent. May differ from the type of its server.',
    }),
    swarmId: t.exposeID('swarmId', {
      nullable: true,
      description: 'Id of the swarm, `<serverId>:<native swarm id>`. Null if the server does not report it.',
    }),
    parentId: t.exposeID('parentId', {
      nullable: true,
      description:
        'Id of the agent that started this one. Null if there is none, if the server does not report it, or if the viewer cannot see it.',
    }),
    name: t.exposeString('name', {
      description: 'Name of the agent. Equals `nativeId` if the server reports no name.',
    }),
    title: t.exposeString('title', {
      nullable: true,
      description: 'Title of the work. Null if the server reports none, or may not show text.',
    }),
    workspace: t.exposeString('workspace', {
      nullable: true,
      description: 'Name of the project directory. Null if the server does not report it.',
    }),
    type: t.exposeString('type', {
      description:
        'Type in lower case, open vocabulary: coordinator, coder, researcher, … `unknown` if the server does not report it.',
    }),
    status: t.expose('status', { type: AgentStatusEnum, description: 'Current activity of the agent.' }),
    capabilities: t.field({
      type: ['String'],
      description: 'Capabilities as the server names them. Empty if the server does not report any.',
      resolve: (agent) => [...agent.capabilities],
    }),
    model: t.exposeString('model', {
      nullable: true,
      description: 'Language model that the agent uses. Null if the server does not report it.',
    }),
    currentTaskId: t.exposeID('currentTaskId', {
      nullable: true,
      description:
        'Id of the task that the agent works on, `<serverId>:<native task id>`. Null if there is none or the server does not report it.',
    }),
    activity: t.expose('activity', {
      type: AgentActivityType,
      nullable: true,
      description: 'Work that the agent does now. Null if it is unknown.',
    }),
    usage: t.expose('usage', {
      type: AgentUsageType,
      nullable: true,
      description: 'Tokens and cost. Null if the server does not report them, or if the request excludes performance.',
    }),
    context: t.expose('context', {
      type: ContextWindowType,
      nullable: true,
      description: 'Context window. Null if the server does not report it, or if the request excludes performance.',
    }),
    performance: t.expose('performance', {
      type: AgentPerformanceType,
      nullable: true,
      description: 'Performance of the agent. Null if the server reports none, or if the request excludes it.',
    }),
    neural: t.expose('neural', {
      type: AgentNeuralType,
      nullable: true,
      description: 'Neural state of the agent. Null if the server reports none, or if the request excludes it.',
    }),
    topology: t.expose('topology', {
      type: AgentTopologyPositionType,
      nullable: true,
      description:
        'Position in the topology of the swarm. Null if the topology is unknown, or if the request excludes it.',
    }),
    stale: t.exposeBoolean('stale', {
      description:
        'Whether the values are the last known ones because the server, or the tool that lists the agent, does not answer.',
    }),
    simulated: t.exposeBoolean('simulated', { description: 'Whether the agent belongs to a simulated server.' }),
    createdAt: t.expose('createdAt', {
      type: 'DateTime',
      nullable: true,
      description: 'Time at which the agent was created. Null if the server does not report it.',
    }),
    lastActiveAt: t.expose('lastActiveAt', {
      type: 'DateTime',
      nullable: true,
      description: 'Time of the last activity. Null if the server does not report it.',
    }),
    lastSeenAt: t.field({
      type: 'DateTime',
      description:
        'Time at which the server last reported the agent. Changes with every poll and is therefore sent only together with other changes.',
      resolve: (agent, _args, { store }) => store.lastSeenAt(agent),
    }),
  }),
});
