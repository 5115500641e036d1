import fc from 'fast-check';
import { buildServerSnapshot } from '../../src/upstream/polling/build-snapshot.js';
import {
  AGENT_STATUSES,
  type McpServer,
  type McpServerType,
  UNKNOWN_PERFORMANCE,
  type Notice,
  type ReportedAgent,
  type ReportedEdge,
  type ReportedTask,
  type Restriction,
  type ServerReport,
  type SwarmlensEvent,
  TASK_STATUSES,
  UNRESTRICTED,
} from '../../src/model/index.js';
import type { ServerSnapshot } from '../../src/state/index.js';
import { EPOCH_TIME, serverOf } from '../support/arbitraries.js';

/** Pattern of all generated ids: servers `srv-x`, swarms `sw-x-1`, agents `ag-x-a`, tasks `tk-x-1`, messages `ms-x-1`. */
export const ID_PATTERN = /(?:srv|sw|ag|tk|ms)-[a-z](?:-\w)?/g;

export const SERVER_IDS = ['srv-x', 'srv-y', 'srv-z'];
export const AGENT_SERVER_TYPES = ['RUV_SWARM', 'CLAUDE_FLOW', 'DAA'] as const satisfies readonly McpServerType[];
export const AGENT_TYPES = ['coder', 'tester', 'queen'];
const SWARMS = ['1', '2'];
const AGENTS = ['a', 'b', 'c', 'd', 'e'];
const TASKS = ['1', '2', '3'];

const serverLetter = (serverId: string): string => serverId.slice(-1);
const swarmNative = (serverId: string, swarm: string): string => `sw-${serverLetter(serverId)}-${swarm}`;
const agentNative = (serverId: string, agent: string): string => `ag-${serverLetter(serverId)}-${agent}`;
const taskNative = (serverId: string, task: string): string => `tk-${serverLetter(serverId)}-${task}`;

export const SWARM_IDS = SERVER_IDS.flatMap((id) => SWARMS.map((swarm) => `${id}:${swarmNative(id, swarm)}`));
export const AGENT_IDS = SERVER_IDS.flatMap((id) => AGENTS.map((agent) => `${id}:${agentNative(id, agent)}`));

/** Raw state of a server before any restriction. */
export interface RawServerState {
  readonly server: McpServer;
  readonly report: ServerReport;
  readonly events: readonly SwarmlensEvent[];
}

function option<T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> {
  return fc.option(arbitrary, { nil: null });
}

/** Changes of one agent without any other change. */
export const changes: fc.Arbitrary<{ readonly serverId: string; readonly agent: ReportedAgent }> = fc
  .tuple(fc.constantFrom(...SERVER_IDS), fc.constantFrom(...AGENTS))
  .chain(([serverId, agent]) => fc.record({ serverId: fc.constant(serverId), agent: reportedAgent(serverId, agent) }));

function reportedAgent(serverId: string, agent: string): fc.Arbitrary<ReportedAgent> {
  const nativeId = agentNative(serverId, agent);
  return fc.record({
    nativeId: fc.constant(nativeId),
    serverType: fc.constantFrom(...AGENT_SERVER_TYPES),
    swarmNativeId: option(fc.constantFrom(...SWARMS).map((swarm) => swarmNative(serverId, swarm))),
    name: fc.constantFrom(nativeId, `old ${nativeId}`),
    type: fc.constantFrom(...AGENT_TYPES),
    status: fc.constantFrom(...AGENT_STATUSES.slice(0, 3)),
    capabilities: fc.subarray([`can ${nativeId}`]),
    model: fc.constantFrom(null, `model of ${nativeId}`),
    currentTaskNativeId: fc.constantFrom(null, ...TASKS.map((task) => taskNative(serverId, task))),
    parentNativeId: option(fc.constantFrom(...AGENTS).map((parent) => agentNative(serverId, parent))),
    title: fc.constantFrom(null, `work of ${nativeId}`),
    workspace: fc.constant(null),
    activity: option(
      fc.constantFrom('TOOL', 'WAITING').map((kind) => ({
        kind,
        label: `tool of ${nativeId}`,
        detail: null,
        since: null,
        waitingFor: kind === 'WAITING' ? ('PERMISSION' as const) : null,
        inferred: false,
      })),
    ),
    usage: option(
      fc.nat(2).map((totalTokens) => ({
        inputTokens: null,
        outputTokens: null,
        cacheReadTokens: null,
        cacheWriteTokens: null,
        totalTokens,
        costUsd: null,
        costEstimated: false,
        complete: true,
      })),
    ),
    context: option(fc.nat(2).map((usedTokens) => ({ usedTokens, limitTokens: null, usedRatio: null }))),
    performance: option(fc.nat(2).map((tasksActive) => ({ ...UNKNOWN_PERFORMANCE, tasksActive }))),
    neural: option(
      fc.nat(2).map((adaptations) => ({
        cognitivePattern: null,
        networkId: `net of ${nativeId}`,
        adaptations,
        learningRate: null,
      })),
    ),
    role: option(fc.constantFrom('queen', 'worker')),
    createdAt: fc.constant(null),
    lastActiveAt: fc.constant(null),
    stale: fc.boolean(),
  });
}

/** Changes of one task without any other change. */
export const taskChanges: fc.Arbitrary<{ readonly serverId: string; readonly task: ReportedTask }> = fc
  .tuple(fc.constantFrom(...SERVER_IDS), fc.constantFrom(...TASKS))
  .chain(([serverId, task]) => fc.record({ serverId: fc.constant(serverId), task: reportedTask(serverId, task) }));

function reportedTask(serverId: string, task: string): fc.Arbitrary<ReportedTask> {
  const nativeId = taskNative(serverId, task);
  return fc.record({
    nativeId: fc.constant(nativeId),
    serverType: fc.constantFrom(...AGENT_SERVER_TYPES),
    swarmNativeId: option(fc.constantFrom(...SWARMS).map((swarm) => swarmNative(serverId, swarm))),
    title: fc.constantFrom(null, `work on ${nativeId}`),
    status: fc.constantFrom(...TASK_STATUSES.slice(0, 4)),
    agentNativeIds: fc.subarray(AGENTS, { maxLength: 2 }).map((ids) => ids.map((id) => agentNative(serverId, id))),
    dependsOnNativeIds: fc.subarray(TASKS).map((ids) => ids.map((id) => taskNative(serverId, id))),
    createdAt: fc.constant(null),
    startedAt: fc.constant(null),
    endedAt: fc.constant(null),
    stale: fc.boolean(),
  });
}

/** Edges from at most one leader to each later agent, and edges between peers. */
function reportedEdges(serverId: string): fc.Arbitrary<readonly ReportedEdge[]> {
  const swarm = fc.constantFrom(...SWARMS);
  const led = AGENTS.slice(1).map((to, index) => option(fc.tuple(swarm, fc.nat(index), fc.constant(to))));
  const peers = fc.array(fc.tuple(swarm, fc.constantFrom(...AGENTS), fc.constantFrom(...AGENTS)), { maxLength: 3 });
  return fc
    .tuple(fc.tuple(...led), peers)
    .map(([leadEdges, peerEdges]) => [
      ...leadEdges
        .filter((edge) => edge !== null)
        .map(([name, from, to]) => createEdge(serverId, name, AGENTS[from] ?? '', to, 'leads')),
      ...peerEdges.map(([name, from, to]) => createEdge(serverId, name, from, to, 'peers')),
    ]);
}

function createEdge(serverId: string, swarm: string, from: string, to: string, relation: string): ReportedEdge {
  const ends = { fromNativeId: agentNative(serverId, from), toNativeId: agentNative(serverId, to) };
  return { swarmNativeId: swarmNative(serverId, swarm), ...ends, relation };
}

function eventsAbout(serverId: string): fc.Arbitrary<readonly SwarmlensEvent[]> {
  const words = fc.constantFrom(...AGENTS).map((agent) => `message about ${agentNative(serverId, agent)}`);
  const codes = fc.constantFrom('SERVER_OFFLINE', 'TOOL_FAILING', 'AGENT_REJECTED', 'AGENTS_REMOVED', 'NEW_CODE');
  const notice = fc.tuple(codes, words).map(([code, message]) => createNotice(code, message, serverId));
  const health = words.map((reason): SwarmlensEvent => ({
    type: 'health',
    serverId,
    replicaId: null,
    previousStatus: 'ONLINE',
    status: 'OFFLINE',
    previousCircuitState: 'CLOSED',
    circuitState: 'OPEN',
    reason,
    timestamp: EPOCH_TIME,
  }));
  const ids = fc.subarray(AGENTS, { maxLength: 2 }).map((agents) => agents.map((id) => agentIdOf(serverId, id)));
  const message = fc
    .record({
      number: fc.nat(9),
      serverType: fc.constantFrom(...AGENT_SERVER_TYPES),
      swarmId: option(fc.constantFrom(...SWARMS).map((swarm) => `${serverId}:${swarmNative(serverId, swarm)}`)),
      fromAgentId: option(fc.constantFrom(...AGENTS).map((agent) => agentIdOf(serverId, agent))),
      toAgentIds: ids,
    })
    .map(({ number, ...known }): SwarmlensEvent => {
      const nativeId = `ms-${serverLetter(serverId)}-${number}`;
      const id = `${serverId}:${nativeId}`;
      return { type: 'message', id, serverId, sentAt: EPOCH_TIME, text: `text of ${nativeId}`, ...known };
    });
  return fc.array(fc.oneof(notice, health, message), { maxLength: 3 });
}

function agentIdOf(serverId: string, agent: string): string {
  return `${serverId}:${agentNative(serverId, agent)}`;
}

export function createNotice(code: string, message: string, serverId: string | null): Notice {
  return { type: 'notice', code, severity: 'WARNING', message, serverId, timestamp: EPOCH_TIME };
}

const PROCESS_KEY = fc.constantFrom('process-1', 'process-2');

export function serverStates(serverId: string): fc.Arbitrary<RawServerState> {
  const reportedSwarm = (swarm: string): fc.Arbitrary<ServerReport['swarms'][number]> =>
    fc.record({
      nativeId: fc.constant(swarmNative(serverId, swarm)),
      serverType: fc.constantFrom(...AGENT_SERVER_TYPES),
      name: fc.constant(null),
      status: option(fc.constant('active')),
      topologyName: option(fc.constantFrom('mesh', 'odd')),
      strategy: fc.constant(null),
      maxAgents: option(fc.nat(9)),
      tasksTotal: option(fc.nat(2)),
      tasksActive: fc.constant(null),
      tasksCompleted: option(fc.nat(2)),
      createdAt: fc.constant(null),
      stale: fc.boolean(),
      session: fc.record({
        agentNativeId: fc.constantFrom(...AGENTS).map((agent) => agentNative(serverId, agent)),
        processKey: option(PROCESS_KEY),
        directoryKey: fc.constant('directory'),
      }),
    });
  const observedSwarm = (swarm: string): ReturnType<typeof reportedSwarm> =>
    fc.tuple(reportedSwarm(swarm), fc.boolean()).map(([{ session, ...reported }, isSession]) => ({
      ...reported,
      ...(isSession && session !== undefined ? { session } : {}),
    }));
  return fc.record({
    server: fc
      .record({
        origin: fc.option(
          fc.record({
            processKeys: option(fc.array(PROCESS_KEY, { maxLength: 2 })),
            directoryKey: fc.constantFrom('directory', 'other'),
          }),
          { nil: undefined },
        ),
        stale: fc.boolean(),
        agentServerTypes: fc.subarray([...AGENT_SERVER_TYPES], { minLength: 2 }),
        lastError: option(fc.constantFrom(...AGENTS).map((agent) => `no ${agentNative(serverId, agent)}`)),
      })
      .map((fields): McpServer => ({ ...serverOf(serverId), ...fields })),
    report: fc.record({
      agents: fc.subarray(AGENTS).chain((ids) => fc.tuple(...ids.map((id) => reportedAgent(serverId, id)))),
      swarms: fc.subarray(SWARMS).chain((ids) => fc.tuple(...ids.map(observedSwarm))),
      edges: reportedEdges(serverId),
      tasks: fc.subarray(TASKS).chain((ids) => fc.tuple(...ids.map((id) => reportedTask(serverId, id)))),
      failures: fc.constant([]),
    }),
    events: eventsAbout(serverId),
  });
}

export function toSnapshot({ server, report }: RawServerState): ServerSnapshot {
  return buildServerSnapshot(server, report, EPOCH_TIME, null, 10_000);
}

export const RESTRICTION_KINDS: Readonly<Record<string, fc.Arbitrary<Partial<Restriction>>>> = {
  servers: fc.record({ serverIds: fc.subarray(SERVER_IDS) }),
  'server types': fc.record({ serverTypes: fc.subarray([...AGENT_SERVER_TYPES]) }),
  'agent types': fc.record({ agentTypes: fc.subarray(AGENT_TYPES) }),
  swarms: fc.record({ swarmIds: fc.subarray(SWARM_IDS, { minLength: 1 }) }),
  'no performance': fc.constant({ performance: false }),
  'no neural data': fc.constant({ neural: false }),
  'all of them': fc.record({
    serverIds: option(fc.subarray(SERVER_IDS, { minLength: 2 })),
    serverTypes: option(fc.subarray([...AGENT_SERVER_TYPES], { minLength: 1 })),
    agentTypes: option(fc.subarray(AGENT_TYPES, { minLength: 1 })),
    swarmIds: option(fc.subarray(SWARM_IDS, { minLength: 2 })),
    performance: fc.boolean(),
    neural: fc.boolean(),
  }),
};

export function toRestriction(kind: fc.Arbitrary<Partial<Restriction>>): fc.Arbitrary<Restriction> {
  return kind.map((part) => ({ ...UNRESTRICTED, ...part }));
}
