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
  /** Reason for which Redis is unavailable. Null if it is available, and for a single node. */
  readonly busFailure: () => string | null;
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
    busFailure: () => null,
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
  const { busPrefix: prefix, busKeys, busTls: tls, leaseMs } = config;
  const nodeId = randomBytes(9).toString('base64url');
  const link = openRedisConnection({ address, tls, prefix, busKeys, nodeId, clock, logger });
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
  return {
    bus,
    ownership: leases,
    createRateLimiter: createRedisRateLimiter(link, link.keys.shared('rate')),
    busFailure: () => link.failureReason,
    busStats: () => ({ isUp: link.isUp, ...bus.stats() }),
    async [Symbol.asyncDispose]() {
      await leases[Symbol.asyncDispose]();
      await bus[Symbol.asyncDispose]();
      commits[Symbol.dispose]();
      await link[Symbol.asyncDispose]();
    },
  };
}
