// Server of swarmlens, composed as in src/app/create-app.ts, with synthetic agents instead of MCP servers.
import { createAuthenticator } from '../../dist/auth/index.js';
import { MemoryBus } from '../../dist/cluster/index.js';
import { UpstreamRegistry } from '../../dist/upstream/index.js';
import { Demand } from '../../dist/state/index.js';
import {
  ActiveStreams,
  CommitWaiter,
  createUtilizationProbe,
  RateClock,
  SubscriptionGroups,
} from '../../dist/delivery/index.js';
import { DEFAULT_LIMITS } from '../../dist/config/index.js';
import { createMemoryRateLimiter, MemoryLimitCounters, startServer } from '../../dist/server/index.js';
import { systemClock } from '../../dist/shared/index.js';
import { AccessScopes } from '../../dist/access/index.js';
import { silentLogger } from '../../dist/telemetry/index.js';

/** @param tokens token file; null disables authentication */
export async function startSwarmlens({ state, maxSlowMs = 60_000, tokens = null }) {
  const { store } = state;
  // swarmlens has its own ticks, and sends changes between two ticks at the next one.
  state.lead = 0.5;
  const clock = systemClock;
  const bus = new MemoryBus();
  const demand = new Demand();
  const active = new ActiveStreams();
  const rateClock = new RateClock(clock);
  const collector = new UpstreamRegistry([], {
    store,
    bus,
    demand,
    clock,
    logger: silentLogger,
    random: Math.random,
    heartbeatMs: 5_000,
    removeAfterMs: null,
  });
  const utilization = createUtilizationProbe();
  const onError = (error) => {
    throw error;
  };
  const groups = new SubscriptionGroups({ store, demand, rateClock, active, utilization, onError });
  const streams = { store, demand, commits: new CommitWaiter(store), rateClock, active, groups };
  const candidates = { list: async () => [], clear: () => undefined };
  const whole = { store, upstreams: collector, candidates, streams };
  const sights = new AccessScopes({
    unrestricted: whole,
    maxTombstones: 2_000,
    maxEvents: 1_024,
    utilization,
    clock,
    onError,
  });
  const { url } = await startServer({
    host: '127.0.0.1',
    port: 0,
    authenticator: await createAuthenticator(tokens === null ? null : { tokens, jwt: null }, {
      clock,
      logger: silentLogger,
    }),
    origins: [],
    anyHost: false,
    joinTap({ socket }) {
      socket.terminate();
    },
    services: { rateClock, clock, limitToOncePerSecond: async () => undefined },
    accessScopes: sights,
    // All subscribers have one address.
    limits: { ...DEFAULT_LIMITS, maxRequestsPerSecond: 1_000_000 },
    counters: new MemoryLimitCounters(),
    createRateLimiter: createMemoryRateLimiter,
    activeStreams: active,
    clock,
    logger: silentLogger,
    playgroundDirectory: '/nonexistent',
    discovered: Promise.resolve(),
    delivery: { compressFromBytes: 512, maxBufferedBytes: 524_288, maxSlowMs },
    shutdownMs: 1_000,
  });
  return Number(new URL(url).port);
}
