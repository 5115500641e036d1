import { randomBytes } from 'node:crypto';
import { type Bus, MemoryBus, openRedisLink, RedisBus } from './bus/index.js';
import type { Demand } from './collector/index.js';
import type { Config } from './config/index.js';
import type { BusFigures } from './figures/index.js';
import { type MakeRate, memoryRates, redisRates } from './limits/index.js';
import { Leases, type Ownership, soleOwner } from './nodes/index.js';
import type { Clock, RedisAddress } from './shared/index.js';
import type { Store } from './state/index.js';
import type { Logger } from './telemetry/index.js';

export interface NodeDeps {
  readonly store: Store;
  readonly demand: Demand;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What this process has to do with other ones: alone, or one of the nodes on a Redis. */
export interface Node extends AsyncDisposable {
  readonly bus: Bus;
  readonly ownership: Ownership;
  /** What is counted of clients: of several nodes by all of them together. */
  readonly makeRate: MakeRate;
  /** Why nothing can be known of the servers yet; `null`: it can. */
  readonly trouble: () => string | null;
  /** `null`: there are no other nodes. */
  readonly figures: () => BusFigures | null;
}

const DEFAULT_PREFIX = 'swarmlens';
const DEFAULT_LEASE_MS = 5_000;

/** Everything that is published is committed to the store. */
export function openNode(config: Config, deps: NodeDeps): Node {
  return config.bus === 'memory' ? onlyNode(deps) : oneOfSeveral(config, config.bus, deps);
}

function onlyNode({ store }: NodeDeps): Node {
  const bus = new MemoryBus();
  const commits = bus.subscribe((change) => store.commit(change));
  return {
    bus,
    ownership: soleOwner,
    makeRate: memoryRates,
    trouble: () => null,
    figures: () => null,
    async [Symbol.asyncDispose]() {
      commits[Symbol.dispose]();
      await bus[Symbol.asyncDispose]();
    },
  };
}

function oneOfSeveral(config: Config, address: RedisAddress, { store, demand, clock, logger }: NodeDeps): Node {
  const { busPrefix: prefix = DEFAULT_PREFIX, leaseMs = DEFAULT_LEASE_MS } = config;
  const link = openRedisLink({ address, prefix, nodeId: randomBytes(9).toString('base64url'), clock, logger });
  const bus: RedisBus = new RedisBus({
    link,
    store,
    // Each of the two asks the other, when there is something to ask about.
    terms: { termOf: (serverId): number | null => leases.termOf(serverId) },
    onFenced: (serverId) => leases.fenced(serverId),
    leaseMs,
    clock,
    logger,
  });
  const commits = bus.subscribe((change) => store.commit(change));
  const leases: Leases = new Leases({ link, leaseMs, picture: bus, store, demand, clock, logger });
  let wasUp = false;
  const listening = link.onChange(() => (wasUp = true));
  return {
    bus,
    ownership: leases,
    makeRate: redisRates(link, link.names.shared('rate')),
    // Once it has been there, what is known goes on, stale, while it is away.
    trouble: () => (wasUp ? null : link.trouble),
    figures: () => ({ isUp: link.isUp, ...bus.figures() }),
    async [Symbol.asyncDispose]() {
      listening[Symbol.dispose]();
      await leases[Symbol.asyncDispose]();
      await bus[Symbol.asyncDispose]();
      commits[Symbol.dispose]();
      await link[Symbol.asyncDispose]();
    },
  };
}
