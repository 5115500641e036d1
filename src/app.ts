import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { createAuthenticator, InsecureReminder } from './auth/index.js';
import { Collector, Demand } from './collector/index.js';
import type { Config } from './config/index.js';
import { Candidates } from './discovery/index.js';
import { busFigures, deliveryFigures, ProcessFigures, serverFigures } from './figures/index.js';
import { ActiveStreams, Commits, eventLoopUtilization, Groups, RateClock } from './delivery/index.js';
import { LiveConfig } from './live-config.js';
import { openNode } from './node.js';
import { DEFAULT_LIMITS, MemoryLimitCounters, OncePerSecond } from './limits/index.js';
import { startServer } from './server/index.js';
import { type Clock, messageOf } from './shared/index.js';
import { Sights } from './sight/index.js';
import { changesState, Store, Timeline } from './state/index.js';
import { TappedServers } from './tapped-servers.js';
import { createTracer, type Logger, type MetricsPage, PrometheusMetrics } from './telemetry/index.js';

export interface AppDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  /** What `/metrics` shows, made of the metrics of this process; left out: those. */
  readonly metricsPage?: (own: MetricsPage) => MetricsPage;
}

/** A running swarmlens. Disposing it ends every connection and every child process it has started. */
export interface App extends AsyncDisposable {
  /** Without a path: `http://127.0.0.1:4000`. */
  readonly url: string;
  /** Resolves when each server has answered or failed for the first time. */
  readonly discovered: Promise<void>;
  /** Connects, drops and reconnects servers until they are those of another configuration. */
  applyConfig(config: Config): Promise<void>;
  /** Tells that a changed configuration has mistakes, one line each; everything stays as it is. */
  refuseConfig(problems: readonly string[]): Promise<void>;
}

/** Events that a slow reader of `notices` or `healthChanges` may fall behind. */
const MAX_EVENTS = 1_024;

/** Looked at for servers that are not in the configuration. */
const NOWHERE = { directory: null, hosts: [], ports: [] };

/** Puts the program together: the only place that picks implementations. */
export async function createApp(config: Config, { clock, logger, metricsPage }: AppDeps): Promise<App> {
  await using opened = new Opened();
  const authenticator = opened.add(await createAuthenticator(config.auth ?? null, { clock, logger }));
  const store = new Store({
    epoch: randomBytes(6).toString('base64url'),
    maxTombstones: config.tombstones,
    maxEvents: MAX_EVENTS,
    timeline: config.bus === 'memory' ? null : new Timeline(),
  });
  const metrics = new PrometheusMetrics();
  opened.add(
    store.onCommit(({ serverId, serverRemoved }) => {
      if (serverRemoved) metrics.forget(serverId);
    }),
  );
  const tracesUrl = config.tracesUrl ?? null;
  const tracer = tracesUrl === null ? null : opened.add(await createTracer({ url: tracesUrl, clock, logger }));
  if (tracer !== null) {
    opened.add(
      store.onCommit((change) => {
        if (!changesState(change)) return;
        const { serverId, agents, removedAgentIds } = change;
        tracer.changed({
          serverId,
          agents: agents.length,
          removedAgents: removedAgentIds.length,
          revision: store.revision,
        });
      }),
    );
  }
  const demand = new Demand();
  const node = opened.add(openNode(config, { store, demand, clock, logger }));
  const { bus, ownership } = node;
  const collector = opened.add(
    new Collector(config.servers, {
      store,
      bus,
      demand,
      clock,
      logger,
      random: Math.random,
      heartbeatMs: config.heartbeatMs,
      removeAfterMs: config.removeAfterMs ?? null,
      ownership,
      metrics,
      tracer,
    }),
  );
  const commits = opened.add(new Commits(store));
  const rateClock = new RateClock(clock);
  const active = new ActiveStreams();
  const utilization = eventLoopUtilization();
  const onError = (error: unknown): void => logger.error({ error: messageOf(error) }, 'a shared subscription failed');
  const groups = opened.add(new Groups({ store, demand, rateClock, active, utilization, onError, metrics, tracer }));
  const live = new LiveConfig(config, { collector, bus, clock, logger });
  let own: { readonly url: string } | null = null;
  const candidates = opened.add(
    new Candidates(clock, () => ({
      ...(config.discovery ?? NOWHERE),
      known: live.servers,
      configFile: config.file ?? null,
      own,
      clock,
      logger,
    })),
  );
  const streams = { store, demand, commits, rateClock, active, groups };
  const sights = opened.add(
    new Sights({
      whole: { store, collector, candidates, streams },
      maxTombstones: config.tombstones,
      maxEvents: MAX_EVENTS,
      utilization,
      clock,
      onError,
      metrics,
      tracer,
    }),
  );
  const tapped = new TappedServers({
    collector,
    bus,
    clock,
    logger,
    isConfigured: (id) => live.servers.some((server) => server.id === id),
  });
  const counters = new MemoryLimitCounters();
  const limiter = new OncePerSecond(node.makeRate, counters);
  const discovered = collector.ready();
  const server = opened.add(
    await startServer({
      host: config.host,
      port: config.port,
      authenticator,
      origins: config.origins ?? [],
      anyHost: config.insecureNoAuth === true,
      services: { rateClock, clock, limitToOncePerSecond: (what, clientId) => limiter.use(what, clientId) },
      sights,
      trustedDocuments: config.trustedDocuments ?? null,
      joinTap: (tap) => tapped.join(tap),
      activeStreams: active,
      clock,
      logger,
      playgroundDirectory: fileURLToPath(new URL('playground/', import.meta.url)),
      discovered,
      trouble: node.trouble,
      delivery: config,
      limits: config.limits ?? DEFAULT_LIMITS,
      counters,
      makeRate: node.makeRate,
      metrics: metricsPage === undefined ? metrics : metricsPage(metrics),
      shutdownMs: config.shutdownMs,
    }),
  );
  own = server;
  const processFigures = opened.add(new ProcessFigures());
  const { maxBufferedBytes } = config;
  for (const figure of [
    ...processFigures.figures,
    ...deliveryFigures({ streams: active, sights, server, counters, maxBufferedBytes }),
    ...serverFigures({ store, collector, clock }),
    ...busFigures(node.figures),
  ]) {
    metrics.expose(figure);
  }
  await live.warnOfStart();
  if (config.insecureNoAuth === true) {
    const remind = (message: string): void => {
      live
        .warn('INSECURE_NO_AUTH', message)
        .catch((error: unknown) => logger.error({ error: messageOf(error) }, 'no notice'));
    };
    opened.add(new InsecureReminder(clock, remind));
  }
  const kept = opened.keep();
  return {
    url: server.url,
    discovered,
    applyConfig: (changed) => live.apply(changed),
    refuseConfig: (problems) => live.refuse(problems),
    [Symbol.asyncDispose]: () => kept[Symbol.asyncDispose](),
  };
}

/** What has been opened so far, closed in the opposite order: all of it when a later step fails. */
class Opened implements AsyncDisposable {
  #resources: (AsyncDisposable | Disposable)[] = [];

  add<T extends AsyncDisposable | Disposable>(resource: T): T {
    this.#resources.push(resource);
    return resource;
  }

  /** Hands everything over to the caller, who closes it. */
  keep(): Opened {
    const kept = new Opened();
    kept.#resources = this.#resources;
    this.#resources = [];
    return kept;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const resource of this.#resources.splice(0).reverse()) {
      if (Symbol.asyncDispose in resource) await resource[Symbol.asyncDispose]();
      else resource[Symbol.dispose]();
    }
  }
}
