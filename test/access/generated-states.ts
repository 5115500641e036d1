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
  type Restriction,
  type ServerReport,
  type SwarmlensEvent,
  UNRESTRICTED,
} from '../../src/model/index.js';
import type { ServerSnapshot } from '../../src/state/index.js';
import { EPOCH_TIME, serverOf } from '../support/arbitraries.js';

/** Every name is found by a search for it: of servers `srv-x`, of swarms `sw-x-1`, of agents `ag-x-a`. */
export const MARKERS = /(?:srv|sw|ag)-[a-z](?:-\w)?/g;

export const SERVER_IDS = ['srv-x', 'srv-y', 'srv-z'];
export const FAMILIES = ['RUV_SWARM', 'CLAUDE_FLOW', 'DAA'] as const satisfies readonly McpServerType[];
export const AGENT_TYPES = ['coder', 'tester', 'queen'];
const SWARMS = ['1', '2'];
const AGENTS = ['a', 'b', 'c', 'd', 'e'];

const letterOf = (serverId: string): string => serverId.slice(-1);
const swarmNative = (serverId: string, swarm: string): string => `sw-${letterOf(serverId)}-${swarm}`;
const agentNative = (serverId: string, agent: string): string => `ag-${letterOf(serverId)}-${agent}`;

export const SWARM_IDS = SERVER_IDS.flatMap((id) => SWARMS.map((swarm) => `${id}:${swarmNative(id, swarm)}`));
export const AGENT_IDS = SERVER_IDS.flatMap((id) => AGENTS.map((agent) => `${id}:${agentNative(id, agent)}`));

/** What a server says, before anybody's sight of it. */
export interface Said {
  readonly server: McpServer;
  readonly report: ServerReport;
  readonly events: readonly SwarmlensEvent[];
}

function option<T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> {
  return fc.option(arbitrary, { nil: null });
}

/** One agent, which is all that changes of its server. */
export const changes: fc.Arbitrary<{ readonly serverId: string; readonly agent: ReportedAgent }> = fc
  .tuple(fc.constantFrom(...SERVER_IDS), fc.constantFrom(...AGENTS))
  .chain(([serverId, agent]) => fc.record({ serverId: fc.constant(serverId), agent: reportedAgent(serverId, agent) }));

function reportedAgent(serverId: string, agent: string): fc.Arbitrary<ReportedAgent> {
  const nativeId = agentNative(serverId, agent);
  return fc.record({
    nativeId: fc.constant(nativeId),
    serverType: fc.constantFrom(...FAMILIES),
    swarmNativeId: option(fc.constantFrom(...SWARMS).map((swarm) => swarmNative(serverId, swarm))),
    name: fc.constantFrom(nativeId, `old ${nativeId}`),
    type: fc.constantFrom(...AGENT_TYPES),
    status: fc.constantFrom(...AGENT_STATUSES.slice(0, 3)),
    capabilities: fc.subarray([`can ${nativeId}`]),
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

/** Leaders stand before those that they lead, each of whom has one; besides, there are peers. */
function reportedEdges(serverId: string): fc.Arbitrary<readonly ReportedEdge[]> {
  const swarm = fc.constantFrom(...SWARMS);
  const led = AGENTS.slice(1).map((to, index) => option(fc.tuple(swarm, fc.nat(index), fc.constant(to))));
  const peers = fc.array(fc.tuple(swarm, fc.constantFrom(...AGENTS), fc.constantFrom(...AGENTS)), { maxLength: 3 });
  return fc
    .tuple(fc.tuple(...led), peers)
    .map(([leading, standing]) => [
      ...leading
        .filter((edge) => edge !== null)
        .map(([name, from, to]) => edgeOf(serverId, name, AGENTS[from] ?? '', to, 'leads')),
      ...standing.map(([name, from, to]) => edgeOf(serverId, name, from, to, 'peers')),
    ]);
}

function edgeOf(serverId: string, swarm: string, from: string, to: string, relation: string): ReportedEdge {
  const ends = { fromNativeId: agentNative(serverId, from), toNativeId: agentNative(serverId, to) };
  return { swarmNativeId: swarmNative(serverId, swarm), ...ends, relation };
}

function eventsOf(serverId: string): fc.Arbitrary<readonly SwarmlensEvent[]> {
  const words = fc.constantFrom(...AGENTS).map((agent) => `said of ${agentNative(serverId, agent)}`);
  const codes = fc.constantFrom('SERVER_OFFLINE', 'TOOL_FAILING', 'AGENT_REJECTED', 'AGENTS_REMOVED', 'NEW_CODE');
  const notice = fc.tuple(codes, words).map(([code, message]) => noticeOf(code, message, serverId));
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
  return fc.array(fc.oneof(notice, health), { maxLength: 2 });
}

export function noticeOf(code: string, message: string, serverId: string | null): Notice {
  return { type: 'notice', code, severity: 'WARNING', message, serverId, timestamp: EPOCH_TIME };
}

export function saidBy(serverId: string): fc.Arbitrary<Said> {
  const reportedSwarm = (swarm: string): fc.Arbitrary<ServerReport['swarms'][number]> =>
    fc.record({
      nativeId: fc.constant(swarmNative(serverId, swarm)),
      serverType: fc.constantFrom(...FAMILIES),
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
    });
  return fc.record({
    server: fc
      .record({
        stale: fc.boolean(),
        agentServerTypes: fc.subarray([...FAMILIES], { minLength: 2 }),
        lastError: option(fc.constantFrom(...AGENTS).map((agent) => `no ${agentNative(serverId, agent)}`)),
      })
      .map((known): McpServer => ({ ...serverOf(serverId), ...known })),
    report: fc.record({
      agents: fc.subarray(AGENTS).chain((ids) => fc.tuple(...ids.map((id) => reportedAgent(serverId, id)))),
      swarms: fc.subarray(SWARMS).chain((ids) => fc.tuple(...ids.map(reportedSwarm))),
      edges: reportedEdges(serverId),
      failures: fc.constant([]),
    }),
    events: eventsOf(serverId),
  });
}

export function pictureOf({ server, report }: Said): ServerSnapshot {
  return buildServerSnapshot(server, report, EPOCH_TIME, null);
}

export const KINDS: Readonly<Record<string, fc.Arbitrary<Partial<Restriction>>>> = {
  servers: fc.record({ serverIds: fc.subarray(SERVER_IDS) }),
  'server types': fc.record({ serverTypes: fc.subarray([...FAMILIES]) }),
  'agent types': fc.record({ agentTypes: fc.subarray(AGENT_TYPES) }),
  swarms: fc.record({ swarmIds: fc.subarray(SWARM_IDS, { minLength: 1 }) }),
  'no performance': fc.constant({ performance: false }),
  'no neural data': fc.constant({ neural: false }),
  'all of them': fc.record({
    serverIds: option(fc.subarray(SERVER_IDS, { minLength: 2 })),
    serverTypes: option(fc.subarray([...FAMILIES], { minLength: 1 })),
    agentTypes: option(fc.subarray(AGENT_TYPES, { minLength: 1 })),
    swarmIds: option(fc.subarray(SWARM_IDS, { minLength: 2 })),
    performance: fc.boolean(),
    neural: fc.boolean(),
  }),
};

export function restrictionOf(kind: fc.Arbitrary<Partial<Restriction>>): fc.Arbitrary<Restriction> {
  return kind.map((part) => ({ ...UNRESTRICTED, ...part }));
}
