import { MemoryBus } from '../cluster/index.js';
import type { Agent, McpServerType, ServerStatus, TransportKind } from '../model/index.js';
import type { Clock, Logger } from '../shared/index.js';
import { Demand, Store } from '../state/index.js';
import type { UpstreamOptions } from './upstream-options.js';
import { UpstreamRegistry } from './upstream-registry.js';

/** Agent as a check reports it. */
export type CheckedAgent = Pick<Agent, 'nativeId' | 'name' | 'type' | 'status' | 'swarmId' | 'model'>;

/** Number of agents of each server that a check reports. */
const MAX_AGENTS = 3;

/** Result of one attempt to connect to a server and to poll it. */
export interface ServerCheck {
  readonly id: string;
  readonly type: McpServerType;
  readonly name: string;
  readonly version: string | null;
  readonly transport: TransportKind;
  readonly status: ServerStatus;
  readonly tools: readonly string[];
  /** Number of agents. Null if the server was never polled successfully. */
  readonly agentCount: number | null;
  /** Number of swarms. Null if the server was never polled successfully. */
  readonly swarmCount: number | null;
  /** Number of tasks. Null if the server was never polled successfully. */
  readonly taskCount: number | null;
  /** First agents, at most three. */
  readonly agents: readonly CheckedAgent[];
  /** Failure of the server or of one of its tools. Null if there is none. */
  readonly error: string | null;
}

export interface CheckServersDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Interval of health probes in milliseconds. */
  readonly heartbeatMs: number;
  readonly maxAgentsPerServer: number;
  /** Ends the check early when it resolves. */
  readonly stopped: Promise<unknown>;
}

/** Connects to each server, polls it once and disconnects. */
export async function checkServers(
  servers: readonly UpstreamOptions[],
  { clock, logger, heartbeatMs, maxAgentsPerServer, stopped }: CheckServersDeps,
): Promise<readonly ServerCheck[]> {
  await using bus = new MemoryBus();
  const store = new Store({ epoch: 'check', maxTombstones: 0, maxEvents: 1 });
  using _subscription = bus.subscribe((delta) => store.commit(delta));
  await using upstreams = new UpstreamRegistry(servers, {
    store,
    bus,
    demand: new Demand(),
    clock,
    logger,
    random: Math.random,
    heartbeatMs,
    maxAgentsPerServer,
    removeAfterMs: null,
  });
  await Promise.race([upstreams.ready(), stopped]);
  return [...store.servers.values()].map(({ id, type, name, version, transport, status, tools, lastError }) => ({
    id,
    type,
    name,
    version,
    transport,
    status,
    tools,
    agentCount: store.serverLastSeenAt(id) === null ? null : store.countAgents(id),
    swarmCount: store.serverLastSeenAt(id) === null ? null : store.swarmsOfServer(id).length,
    taskCount: store.serverLastSeenAt(id) === null ? null : store.tasksOfServer(id).length,
    agents: store
      .agentsOfServer(id)
      .slice(0, MAX_AGENTS)
      .map(({ nativeId, name, type: agentType, status: agentStatus, swarmId, model }) => ({
        nativeId,
        name,
        type: agentType,
        status: agentStatus,
        swarmId,
        model,
      })),
    error: lastError ?? (status === 'CONNECTING' ? 'no answer before the check was stopped' : null),
  }));
}
