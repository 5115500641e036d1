import type { UpstreamRegistry } from '../../upstream/index.js';
import {
  AGENT_STATUSES,
  CIRCUIT_STATES,
  type McpServer,
  SERVER_STATUSES,
  type ServerHealth,
  type ServerReplica,
} from '../../model/index.js';
import type { Clock } from '../../shared/index.js';
import type { Store } from '../../state/index.js';
import { type ObservableMetric, OVERFLOW_LABEL, type Sample, toLabelValue, topCounts } from '../../telemetry/index.js';

export interface ServerMetricSources {
  readonly store: Pick<Store, 'servers' | 'agentCounts' | 'agentTypeCounts' | 'serverLastSeenAt'>;
  readonly upstreams: Pick<UpstreamRegistry, 'health'>;
  readonly clock: Clock;
}

/** Maximum number of servers with a label of their own, in order of appearance. Sums of the others have the label "other". */
const MAX_SERVERS = 128;
/** Maximum number of agent types with a label of their own: the types with the most agents. */
const MAX_TYPES = 50;

/** Metrics of MCP servers and their agents. */
export function serverMetrics({ store, upstreams, clock }: ServerMetricSources): readonly ObservableMetric[] {
  /** Servers with a label of their own. */
  const shown = (): readonly McpServer[] => [...store.servers.values()].slice(0, MAX_SERVERS);
  /** All servers with their labels. */
  const named = (): readonly (readonly [label: string, server: McpServer])[] =>
    [...store.servers.values()].map((server, index) => [
      index < MAX_SERVERS ? toLabelValue(server.id) : OVERFLOW_LABEL,
      server,
    ]);
  const healths = cacheForTurn(() => new Map(shown().map(({ id }) => [id, upstreams.health(id)])));
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
      help: 'Status of an MCP server: 1 for the current status, 0 for the others.',
      labels: ['server', 'status'],
      read: function* () {
        for (const [server, { status }] of named()) {
          for (const one of SERVER_STATUSES) yield [{ server, status: one.toLowerCase() }, one === status ? 1 : 0];
        }
      },
    },
    {
      name: 'swarmlens_server_stale_seconds',
      help: 'Time since the agents of a server became stale. 0 if they are not stale.',
      labels: ['server'],
      read: each(({ staleSince }) => (staleSince === null ? 0 : secondsSince(staleSince, clock))),
    },
    {
      name: 'swarmlens_server_last_answer_timestamp_seconds',
      help: 'Time of the last answer of a server, in seconds since the epoch. Not exported before the first.',
      labels: ['server'],
      read: each(({ id }) => {
        const seenAt = store.serverLastSeenAt(id);
        return seenAt === null ? null : Date.parse(seenAt) / 1000;
      }),
    },
    {
      name: 'swarmlens_breaker_state',
      help: 'Circuit breaker of each replica of a server: 1 for the current state, 0 for the others.',
      labels: ['server', 'replica', 'state'],
      read: ofReplicas,
    },
    {
      name: 'swarmlens_server_connects_total',
      help: 'Established connections to a server. Not exported by nodes that do not know them.',
      labels: ['server'],
      read: each(({ id }) => sumOfReplicas(health(id), ({ connects }) => connects)),
    },
    {
      name: 'swarmlens_server_connection_failures_total',
      help: 'Failed attempts to connect to a server, or to start its command, and lost connections.',
      labels: ['server'],
      read: each(({ id }) => sumOfReplicas(health(id), ({ connectionFailures }) => connectionFailures)),
    },
    {
      name: 'swarmlens_server_restarts_total',
      help: 'Reconnects and restarts of a server.',
      labels: ['server'],
      read: each(({ id }) => sumOfReplicas(health(id), ({ restarts }) => restarts)),
    },
    {
      name: 'swarmlens_poll_wanted_rate_hertz',
      help: 'Polls per second that the demand requires, within the limits of the server.',
      labels: ['server'],
      read: each(({ id }) => health(id)?.polling.wantedHz ?? null),
    },
    {
      name: 'swarmlens_poll_effective_rate_hertz',
      help: 'Polls per second over the last polls. Not exported before the second poll.',
      labels: ['server'],
      read: each(({ id }) => health(id)?.polling.effectiveHz ?? null),
    },
    {
      name: 'swarmlens_agents',
      help: 'Agents by server and status.',
      labels: ['server', 'status'],
      read: () => agentsByStatus(named(), store),
    },
    {
      name: 'swarmlens_agents_by_type',
      help: 'Agents by type: the types with the most agents, and the sum of the others.',
      labels: ['type'],
      read: () =>
        [...topCounts(new Map(store.agentTypeCounts()), MAX_TYPES)].map(([type, count]) => [{ type }, count] as const),
    },
    {
      name: 'swarmlens_stale_agents',
      help: 'Stale agents.',
      labels: ['server'],
      read: () => named().map(([server, { id }]) => [{ server }, store.agentCounts(id).stale] as const),
    },
  ];
}

/** Adds up a counter of all replicas. Null if the health is unknown. */
function sumOfReplicas(health: ServerHealth | null, valueOf: (replica: ServerReplica) => number): number | null {
  return health === null ? null : health.replicas.reduce((sum, replica) => sum + valueOf(replica), 0);
}

function* agentsByStatus(
  servers: readonly (readonly [label: string, server: McpServer])[],
  store: Pick<Store, 'agentCounts'>,
): Iterable<Sample> {
  for (const [server, { id }] of servers) {
    const { byStatus } = store.agentCounts(id);
    for (const status of AGENT_STATUSES) {
      yield [{ server, status: status.toLowerCase() }, byStatus.get(status) ?? 0];
    }
  }
}

/** Caches a value until the end of the turn, because all metrics of one scrape are read in one turn. */
function cacheForTurn<T>(read: () => T): () => T {
  let seen: { readonly value: T } | null = null;
  return () => {
    if (seen !== null) return seen.value;
    const value = read();
    seen = { value };
    queueMicrotask(() => (seen = null));
    return value;
  };
}

function secondsSince(iso: string, clock: Clock): number {
  return Math.max(0, clock.now() - Date.parse(iso)) / 1000;
}
