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

/** What this process has to do with other ones: alone, or one of the nodes on a Redis. */
export interface Coordination extends AsyncDisposable {
  readonly bus: Bus;
  readonly ownership: Ownership;
  /** What is counted of clients: of several nodes by all of them together. */
  readonly createRateLimiter: RateLimiterFactory;
  /** Why nothing can be known of the servers yet; `null`: it can. */
  readonly notReadyReason: () => string | null;
  /** `null`: there are no other nodes. */
  readonly busStats: () => BusStats | null;
}

/** Everything that is published is committed to the store. */
export function openCoordination(config: Config, deps: CoordinationDeps): Coordination {
  return config.bus === 'memory' ? onlyNode(deps) : oneOfSeveral(config, config.bus, deps);
}

function onlyNode({ store }: CoordinationDeps): Coordination {
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

function oneOfSeveral(
  config: Config,
  address: RedisAddress,
  { store, demand, clock, logger }: CoordinationDeps,
): Coordination {
  const { busPrefix: prefix, leaseMs } = config;
  const link = openRedisConnection({ address, prefix, nodeId: randomBytes(9).toString('base64url'), clock, logger });
  const bus: RedisBus = new RedisBus({
    link,
    store,
    // Each of the two asks the other, when there is something to ask about.
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
    // Once it has been there, what is known goes on, stale, while it is away.
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
