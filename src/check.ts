import { Collector, Demand } from './collector/index.js';
import { MemoryBus } from './bus/index.js';
import type { Config } from './config/index.js';
import type { AppDeps } from './app.js';
import type { McpServerType, ServerStatus, TransportKind } from './domain/index.js';
import { Store } from './state/index.js';

/** What one attempt to connect to a server found. */
export interface ServerCheck {
  readonly id: string;
  readonly type: McpServerType;
  readonly name: string;
  readonly version: string | null;
  readonly transport: TransportKind;
  readonly status: ServerStatus;
  readonly tools: readonly string[];
  readonly agentCount: number;
  /** What does not work; `null`: all does. */
  readonly error: string | null;
}

/** Connects once to each server, polls it once, and leaves. */
export async function checkServers(config: Config, { clock, logger }: AppDeps): Promise<readonly ServerCheck[]> {
  await using bus = new MemoryBus();
  const store = new Store({ epoch: 'check', maxTombstones: 0, maxEvents: 1 });
  using _subscription = bus.subscribe((change) => store.commit(change));
  await using collector = new Collector(config.servers, {
    store,
    bus,
    demand: new Demand(),
    clock,
    logger,
    random: Math.random,
    heartbeatMs: config.heartbeatMs,
  });
  await collector.ready();
  return [...store.servers.values()].map(({ id, type, name, version, transport, status, tools, lastError }) => ({
    id,
    type,
    name,
    version,
    transport,
    status,
    tools,
    agentCount: store.countAgents(id),
    error: lastError,
  }));
}
