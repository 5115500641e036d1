// The program's own server, put together as src/app.ts does it, over the benchmark's picture instead of MCP servers.
import { createAuthenticator } from '../../dist/auth/index.js';
import { MemoryBus } from '../../dist/bus/index.js';
import { Collector, Demand } from '../../dist/collector/index.js';
import { ActiveStreams, Commits, eventLoopUtilization, Groups, RateClock } from '../../dist/delivery/index.js';
import { DEFAULT_LIMITS, MemoryLimitCounters, memoryRates } from '../../dist/limits/index.js';
import { startServer } from '../../dist/server/index.js';
import { systemClock } from '../../dist/shared/index.js';
import { Sights } from '../../dist/sight/index.js';
import { silentLogger } from '../../dist/telemetry/index.js';

/** @param tokens file with the only ones that are let in; left out: everybody is */
export async function startSwarmlens({ picture, maxSlowMs = 60_000, tokens = null }) {
  const { store } = picture;
  // Its ticks are its own; what changes between two of them is told at the next.
  picture.lead = 0.5;
  const clock = systemClock;
  const bus = new MemoryBus();
  const demand = new Demand();
  const active = new ActiveStreams();
  const rateClock = new RateClock(clock);
  const collector = new Collector([], {
    store,
    bus,
    demand,
    clock,
    logger: silentLogger,
    random: Math.random,
    heartbeatMs: 5_000,
  });
  const utilization = eventLoopUtilization();
  const onError = (error) => {
    throw error;
  };
  const groups = new Groups({ store, demand, rateClock, active, utilization, onError });
  const streams = { store, demand, commits: new Commits(store), rateClock, active, groups };
  const candidates = { list: async () => [], forget: () => undefined };
  const whole = { store, collector, candidates, streams };
  const sights = new Sights({ whole, maxTombstones: 2_000, maxEvents: 1_024, utilization, clock, onError });
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
    sights,
    limits: DEFAULT_LIMITS,
    counters: new MemoryLimitCounters(),
    makeRate: memoryRates,
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
