import fc from 'fast-check';
import {
  ACTIVITY_KINDS,
  type Agent,
  type AgentActivity,
  AGENT_STATUSES,
  type AgentPerformance,
  type AgentUsage,
  type McpServer,
  MCP_SERVER_TYPES,
  UNKNOWN_PERFORMANCE,
  type Swarm,
  type Task,
  TASK_STATUSES,
  type TopologyEdge,
  WAIT_REASONS,
} from '../../src/model/index.js';
import type { ServerSnapshot, ViewOptions } from '../../src/state/index.js';

const SWARMS = ['s1', 's2'] as const;
const TYPES = ['coder', 'tester', 'queen'] as const;
const IDS = ['a', 'b', 'c', 'd', 'e'] as const;

export const EPOCH_TIME = '2026-11-23T15:00:00.000Z';

function option<T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> {
  return fc.option(arbitrary, { nil: null });
}

const performance: fc.Arbitrary<AgentPerformance> = fc
  .record({ healthScore: option(fc.constantFrom(0, 0.5, 1)), tasksActive: option(fc.nat(2)) })
  .map((known) => ({ ...UNKNOWN_PERFORMANCE, ...known }));

const neural = fc.record({
  cognitivePattern: option(fc.constantFrom('adaptive', 'lateral')),
  networkId: fc.constant(null),
  adaptations: option(fc.nat(2)),
  learningRate: fc.constant(null),
});

const topology = fc.record({
  role: option(fc.constantFrom('queen', 'worker')),
  parentId: fc.constant(null),
  depth: option(fc.nat(1)),
  degree: fc.nat(2),
  inferred: fc.boolean(),
});

const activity: fc.Arbitrary<AgentActivity> = fc.record({
  kind: fc.constantFrom(...ACTIVITY_KINDS),
  label: option(fc.constantFrom('Bash', 'Edit')),
  detail: fc.constant(null),
  since: option(fc.constant(EPOCH_TIME)),
  waitingFor: option(fc.constantFrom(...WAIT_REASONS)),
  inferred: fc.boolean(),
});

const usage: fc.Arbitrary<AgentUsage> = fc.record({
  inputTokens: option(fc.nat(2)),
  outputTokens: option(fc.nat(2)),
  cacheReadTokens: fc.constant(null),
  cacheWriteTokens: fc.constant(null),
  totalTokens: option(fc.nat(2)),
  costUsd: option(fc.constantFrom(0, 0.25)),
  costEstimated: fc.boolean(),
  complete: fc.boolean(),
});

const context = fc.record({
  usedTokens: option(fc.nat(2)),
  limitTokens: option(fc.constant(200_000)),
  usedRatio: option(fc.constantFrom(0, 0.5)),
});

export function agentOf(serverId: string, nativeId: string): fc.Arbitrary<Agent> {
  return fc
    .record({
      serverType: fc.constantFrom(...MCP_SERVER_TYPES.slice(0, 3)),
      swarm: option(fc.constantFrom(...SWARMS)),
      type: fc.constantFrom(...TYPES),
      status: fc.constantFrom(...AGENT_STATUSES.slice(0, 3)),
      capabilities: fc.subarray(['x', 'y']),
      performance: option(performance),
      neural: option(neural),
      topology: option(topology),
      activity: option(activity),
      usage: option(usage),
      context: option(context),
      parent: option(fc.constantFrom(...IDS)),
      title: option(fc.constantFrom('fix', 'test')),
      stale: fc.boolean(),
    })
    .map(({ swarm, parent, ...known }) => ({
      id: `${serverId}:${nativeId}`,
      nativeId,
      serverId,
      name: nativeId,
      swarmId: swarm === null ? null : `${serverId}:${swarm}`,
      parentId: parent === null || parent === nativeId ? null : `${serverId}:${parent}`,
      workspace: known.title === null ? null : 'project',
      model: known.capabilities.includes('x') ? 'sonnet' : null,
      currentTaskId: known.capabilities.includes('y') ? `${serverId}:task-1` : null,
      simulated: false,
      createdAt: null,
      lastActiveAt: null,
      lastSeenAt: EPOCH_TIME,
      ...known,
    }));
}

export function serverOf(id: string, stale = false): McpServer {
  return {
    id,
    type: 'RUV_SWARM',
    agentServerTypes: ['RUV_SWARM', 'CLAUDE_FLOW', 'DAA'],
    name: id,
    version: null,
    transport: 'STDIO',
    status: stale ? 'OFFLINE' : 'ONLINE',
    tools: [],
    stale,
    staleSince: stale ? '2026-11-23T15:00:00.000Z' : null,
    simulated: false,
    connectedAt: null,
    lastError: null,
  };
}

function swarmOf(serverId: string, nativeId: string, topologyName: string | null): Swarm {
  return {
    id: `${serverId}:${nativeId}`,
    nativeId,
    serverId,
    serverType: 'RUV_SWARM',
    name: null,
    status: null,
    topologyName,
    topology: null,
    strategy: null,
    maxAgents: null,
    tasksTotal: null,
    tasksActive: null,
    tasksCompleted: null,
    stale: false,
    createdAt: null,
  };
}

const TASK_IDS = ['t1', 't2', 't3'] as const;

export function taskOf(serverId: string, nativeId: string): fc.Arbitrary<Task> {
  const toIds = (nativeIds: readonly string[]): string[] => nativeIds.map((id) => `${serverId}:${id}`);
  return fc
    .record({
      serverType: fc.constantFrom(...MCP_SERVER_TYPES.slice(0, 3)),
      swarm: option(fc.constantFrom(...SWARMS)),
      status: fc.constantFrom(...TASK_STATUSES),
      title: option(fc.constantFrom('fix', 'test')),
      agentIds: fc.subarray([...IDS], { maxLength: 2 }).map(toIds),
      dependsOnIds: fc.subarray(TASK_IDS.filter((id) => id !== nativeId)).map(toIds),
      createdAt: option(fc.constant(EPOCH_TIME)),
      startedAt: fc.constant(null),
      endedAt: option(fc.constant(EPOCH_TIME)),
      stale: fc.boolean(),
    })
    .map(({ swarm, ...known }) => ({
      id: `${serverId}:${nativeId}`,
      nativeId,
      serverId,
      swarmId: swarm === null ? null : `${serverId}:${swarm}`,
      ...known,
    }));
}

/** Snapshots of a server with up to five agents, up to five edges, up to two swarms and up to three tasks. */
export function serverSnapshotOf(serverId: string): fc.Arbitrary<ServerSnapshot> {
  return fc
    .record({
      agents: fc.subarray([...IDS]).chain((ids) => fc.tuple(...ids.map((id) => agentOf(serverId, id)))),
      swarms: fc.subarray([...SWARMS]),
      topologyName: option(fc.constantFrom('mesh', 'star')),
      edges: fc.uniqueArray(fc.tuple(fc.constantFrom(...IDS), fc.constantFrom(...IDS)), {
        maxLength: 5,
        selector: (ends) => ends.join(),
      }),
      inferred: fc.boolean(),
      stale: fc.boolean(),
      tasks: fc.subarray([...TASK_IDS]).chain((ids) => fc.tuple(...ids.map((id) => taskOf(serverId, id)))),
    })
    .map(({ agents, swarms, topologyName, edges, inferred, stale, tasks }) => ({
      server: serverOf(serverId, stale),
      agents,
      swarms: swarms.map((swarm) => swarmOf(serverId, swarm, topologyName)),
      edges: edges
        .filter(([from, to]) => from !== to)
        .map(([from, to]): TopologyEdge => ({
          id: `${serverId}:s1|${from}|${to}`,
          serverId,
          swarmId: `${serverId}:s1`,
          from: `${serverId}:${from}`,
          to: `${serverId}:${to}`,
          relation: 'leads',
          inferred,
        })),
      tasks,
    }));
}

export const viewOptions: fc.Arbitrary<ViewOptions> = fc.record({
  serverTypes: option(fc.subarray(MCP_SERVER_TYPES.slice(0, 3))),
  agentTypes: option(fc.subarray([...TYPES])),
  swarmIds: option(fc.subarray(['x:s1', 'x:s2', 'y:s1'])),
  includePerformance: fc.boolean(),
  includeNeural: fc.boolean(),
  includeTopology: fc.boolean(),
});

/** Options of views of tasks. */
export const taskViewOptions: fc.Arbitrary<ViewOptions> = fc.record({
  subject: fc.constant('tasks'),
  serverTypes: option(fc.subarray(MCP_SERVER_TYPES.slice(0, 3))),
  swarmIds: option(fc.subarray(['x:s1', 'x:s2', 'y:s1'])),
  agentIds: option(fc.subarray(['x:a', 'x:b', 'y:a'])),
});

/** Options of views of agents or tasks. */
export const anyViewOptions: fc.Arbitrary<ViewOptions> = fc.oneof(
  { weight: 2, arbitrary: viewOptions },
  { weight: 1, arbitrary: taskViewOptions },
);
