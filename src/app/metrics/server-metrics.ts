import type { UpstreamRegistry } from '../../upstream/index.js';
import {
  type Agent,
  AGENT_STATUSES,
  CIRCUIT_STATES,
  type McpServer,
  SERVER_STATUSES,
  type ServerHealth,
} from '../../model/index.js';
import type { Clock } from '../../shared/index.js';
import type { Store } from '../../state/index.js';
import { type ObservableMetric, OVERFLOW_LABEL, type Sample, toLabelValue, topCounts } from '../../telemetry/index.js';

export interface ServerMetricSources {
  readonly store: Pick<Store, 'servers' | 'agents' | 'serverLastSeenAt'>;
  readonly collector: Pick<UpstreamRegistry, 'health'>;
  readonly clock: Clock;
}

/** Servers that are told apart, in the order in which they came; what can be added up of the others is "other". */
const MAX_SERVERS = 128;
/** Types of agents that are: those with most agents. */
const MAX_TYPES = 50;

/** Of MCP servers and their agents. */
export function serverMetrics({ store, collector, clock }: ServerMetricSources): readonly ObservableMetric[] {
  /** Those that are told apart. */
  const shown = (): readonly McpServer[] => [...store.servers.values()].slice(0, MAX_SERVERS);
  /** All, each with its label. */
  const named = (): readonly (readonly [label: string, server: McpServer])[] =>
    [...store.servers.values()].map((server, index) => [
      index < MAX_SERVERS ? toLabelValue(server.id) : OVERFLOW_LABEL,
      server,
    ]);
  const healths = onceATurn(() => new Map(shown().map(({ id }) => [id, collector.health(id)])));
  const health = (serverId: string): ServerHealth | null => healths().get(serverId) ?? null;
  const each = (valueOf: (server: McpServer) => number | null): (() => Iterable<Sample>) => {
    return () =>
      shown().flatMap((server) => {
        const value = valueOf(server);
        return value === null ? [] : [[{ server: toLabelValue(server.id) }, value] as const];
      });
  };
  const ofReplicas = function* (): Iterable<Sample> {
    for (const { id } of shown()) {
      for (const [index, { circuitBreaker }] of (health(id)?.replicas ?? []).entries()) {
        const labels = { server: toLabelValue(id), replica: `${index + 1}` };
        for (const state of CIRCUIT_STATES) {
          yield [{ ...labels, state: state.toLowerCase() }, circuitBreaker.state === state ? 1 : 0];
        }
      }
    }
  };
  return [
    {
      name: 'swarmlens_server_status',
      help: 'What an MCP server is: 1 for its status, 0 for the others.',
      labels: ['server', 'status'],
      read: function* () {
        for (const [server, { status }] of named()) {
          for (const one of SERVER_STATUSES) yield [{ server, status: one.toLowerCase() }, one === status ? 1 : 0];
        }
      },
    },
    {
      name: 'swarmlens_server_stale_seconds',
      help: 'For how long the agents of a server have been last known values; 0: they are not.',
      labels: ['server'],
      read: each(({ staleSince }) => (staleSince === null ? 0 : secondsSince(staleSince, clock))),
    },
    {
      name: 'swarmlens_server_last_answer_timestamp_seconds',
      help: 'When a server last answered, seconds since the epoch; none is shown of one that never did.',
      labels: ['server'],
      read: each(({ id }) => {
        const seenAt = store.serverLastSeenAt(id);
        return seenAt === null ? null : Date.parse(seenAt) / 1000;
      }),
    },
    {
      name: 'swarmlens_breaker_state',
      help: 'Circuit breaker of each replica of a server: 1 for its state, 0 for the others.',
      labels: ['server', 'replica', 'state'],
      read: ofReplicas,
    },
    {
      name: 'swarmlens_poll_wanted_rate_hertz',
      help: 'Polls a second that are wanted of a server now, within what it may be asked.',
      labels: ['server'],
      read: each(({ id }) => health(id)?.polling.wantedHz ?? null),
    },
    {
      name: 'swarmlens_poll_effective_rate_hertz',
      help: 'Polls a second that it gets, over the last polls; none is shown before the second.',
      labels: ['server'],
      read: each(({ id }) => health(id)?.polling.effectiveHz ?? null),
    },
    {
      name: 'swarmlens_agents',
      help: 'Agents, by server and status.',
      labels: ['server', 'status'],
      read: () => agentsByStatus(named(), store),
    },
    {
      name: 'swarmlens_agents_by_type',
      help: 'Agents by type: the types with most agents, all others together.',
      labels: ['type'],
      read: () =>
        [
          ...topCounts(
            countBy(store.agents.values(), ({ type }) => type),
            MAX_TYPES,
          ),
        ].map(([type, count]) => [{ type }, count]),
    },
    {
      name: 'swarmlens_stale_agents',
      help: 'Agents that are last known values.',
      labels: ['server'],
      read: () => {
        const counts = countBy(store.agents.values(), ({ serverId, stale }) => (stale ? serverId : null));
        return named().map(([server, { id }]) => [{ server }, counts.get(id) ?? 0]);
      },
    },
  ];
}

function* agentsByStatus(
  servers: readonly (readonly [label: string, server: McpServer])[],
  store: Pick<Store, 'agents'>,
): Iterable<Sample> {
  const counts = countBy(store.agents.values(), ({ serverId, status }) => `${status} ${serverId}`);
  for (const [server, { id }] of servers) {
    for (const status of AGENT_STATUSES) {
      yield [{ server, status: status.toLowerCase() }, counts.get(`${status} ${id}`) ?? 0];
    }
  }
}

/** What is read for one figure is good for the others of the same scrape, all of which are read in one turn. */
function onceATurn<T>(read: () => T): () => T {
  let seen: { readonly value: T } | null = null;
  return () => {
    if (seen !== null) return seen.value;
    const value = read();
    seen = { value };
    queueMicrotask(() => (seen = null));
    return value;
  };
}

/** @param keyOf `null`: it does not count */
function countBy(agents: Iterable<Agent>, keyOf: (agent: Agent) => string | null): Map<string, number> {
  const counts = new Map<string, number>();
  for (const agent of agents) {
    const key = keyOf(agent);
    if (key !== null) counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

function secondsSince(iso: string, clock: Clock): number {
  return Math.max(0, clock.now() - Date.parse(iso)) / 1000;
}
