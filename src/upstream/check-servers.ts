import { UpstreamRegistry } from './upstream-registry.js';
import { Demand, Store } from '../state/index.js';
import { MemoryBus } from '../cluster/index.js';
import type { Config } from '../config/index.js';
import type { AppDeps } from '../app/index.js';
import type { McpServerType, ServerStatus, TransportKind } from '../model/index.js';

/** What one attempt to connect to a server found. */
export interface ServerCheck {
  readonly id: string;
  readonly type: McpServerType;
  readonly name: string;
  readonly version: string | null;
  readonly transport: TransportKind;
  readonly status: ServerStatus;
  readonly tools: readonly string[];
  /** `null`: it was never reached. */
  readonly agentCount: number | null;
  /** What does not work; `null`: all does. */
  readonly error: string | null;
}

/** Connects once to each server, polls it once, and leaves; when `stopped` resolves earlier, with what is known by then. */
export async function checkServers(
  config: Config,
  { clock, logger }: AppDeps,
  stopped: Promise<void>,
): Promise<readonly ServerCheck[]> {
  await using bus = new MemoryBus();
  const store = new Store({ epoch: 'check', maxTombstones: 0, maxEvents: 1 });
  using _subscription = bus.subscribe((change) => store.commit(change));
  await using collector = new UpstreamRegistry(config.servers, {
    store,
    bus,
    demand: new Demand(),
    clock,
    logger,
    random: Math.random,
    heartbeatMs: config.heartbeatMs,
  });
  await Promise.race([collector.ready(), stopped]);
  return [...store.servers.values()].map(({ id, type, name, version, transport, status, tools, lastError }) => ({
    id,
    type,
    name,
    version,
    transport,
    status,
    tools,
    agentCount: store.serverLastSeenAt(id) === null ? null : store.countAgents(id),
    error: lastError ?? (status === 'CONNECTING' ? 'did not answer before the check was stopped' : null),
  }));
}
