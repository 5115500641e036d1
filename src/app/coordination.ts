import { randomBytes } from 'node:crypto';
import {
  type Bus,
  LeaseManager,
  MemoryBus,
  openRedisConnection,
  type Ownership,
  RedisBus,
  singleNodeOwnership,
} from '../cluster/index.js';
import type { Demand, Store } from '../state/index.js';
import type { Config } from '../config/index.js';
import type { BusStats } from './metrics/bus-metrics.js';
import { createMemoryRateLimiter, createRedisRateLimiter, type RateLimiterFactory } from '../server/index.js';
import type { Clock, RedisAddress, Logger } from '../shared/index.js';

export interface CoordinationDeps {
  readonly store: Store;
  readonly demand: Demand;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Resources that this node shares with other nodes: in memory for a single node, over Redis otherwise. */
export interface Coordination extends AsyncDisposable {
  readonly bus: Bus;
  readonly ownership: Ownership;
  /** Creates rate limiters. Nodes on one Redis count together. */
  readonly createRateLimiter: RateLimiterFactory;
  /** Reason why this node does not know the servers yet. Null if it does. */
  readonly notReadyReason: () => string | null;
  /** Statistics of the bus. Null for a single node. */
  readonly busStats: () => BusStats | null;
}

/** Opens the bus and commits everything that it delivers to the store. */
export function openCoordination(config: Config, deps: CoordinationDeps): Coordination {
  return config.bus === 'memory' ? openSingleNode(deps) : openClusterNode(config, config.bus, deps);
}

function openSingleNode({ store }: CoordinationDeps): Coordination {
  const bus = new MemoryBus();
  const commits = bus.subscribe((change) => store.commit(change));
  return {
    bus,
    ownership: singleNodeOwnership,
    createRateLimiter: createMemoryRateLimiter,
    notReadyReason: () => null,
    busStats: () => null,
    async [Symbol.asyncDispose]() {
      commits[Symbol.dispose]();
      await bus[Symbol.asyncDispose]();
    },
  };
}

function openClusterNode(
  config: Config,
  address: RedisAddress,
  { store, demand, clock, logger }: CoordinationDeps,
): Coordination {
  const { busPrefix: prefix, leaseMs } = config;
  const link = openRedisConnection({ address, prefix, nodeId: randomBytes(9).toString('base64url'), clock, logger });
  const bus: RedisBus = new RedisBus({
    link,
    store,
    // Bus and leases depend on each other, but only after both exist.
    fencingTokens: { tokenOf: (serverId): number | null => leases.tokenOf(serverId) },
    onFenced: (serverId) => leases.markFenced(serverId),
    leaseMs,
    clock,
    logger,
  });
  const commits = bus.subscribe((change) => store.commit(change));
  const leases: LeaseManager = new LeaseManager({ link, leaseMs, snapshotSync: bus, store, demand, clock, logger });
  let wasUp = false;
  const listening = link.onChange(() => (wasUp = true));
  return {
    bus,
    ownership: leases,
    createRateLimiter: createRedisRateLimiter(link, link.keys.shared('rate')),
    // After the first connection, the node keeps serving stale data while Redis is unavailable.
    notReadyReason: () => (wasUp ? null : link.failureReason),
    busStats: () => ({ isUp: link.isUp, ...bus.stats() }),
    async [Symbol.asyncDispose]() {
      listening[Symbol.dispose]();
      await leases[Symbol.asyncDispose]();
      await bus[Symbol.asyncDispose]();
      commits[Symbol.dispose]();
      await link[Symbol.asyncDispose]();
    },
  };
}
