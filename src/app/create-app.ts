import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { createAuthenticator, InsecureModeWarning } from '../auth/index.js';
import { DiscoveryCache, TapRegistry, UpstreamRegistry } from '../upstream/index.js';
import { Demand, hasStateChanges, RevisionTimeline, Store } from '../state/index.js';
import { type Config, DEFAULT_SERVER_OPTIONS } from '../config/index.js';
import { busMetrics } from './metrics/bus-metrics.js';
import { deliveryMetrics } from './metrics/delivery-metrics.js';
import { ProcessMetrics } from './metrics/process-metrics.js';
import { serverMetrics } from './metrics/server-metrics.js';
import {
  ActiveStreams,
  CommitWaiter,
  createUtilizationProbe,
  RateClock,
  SubscriptionGroups,
} from '../delivery/index.js';
import { ConfigReloader } from './config-reloader.js';
import { openCoordination } from './coordination.js';
import { MemoryLimitCounters, OncePerSecondLimiter, startServer } from '../server/index.js';
import { type Clock, errorMessage, type MetricsExporter, type Logger } from '../shared/index.js';
import { AccessScopes } from '../access/index.js';
import { createTracer, PrometheusMetrics } from '../telemetry/index.js';

export interface AppDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  /** What `/metrics` shows, made of the metrics of this process; left out: those. */
  readonly wrapMetricsExporter?: (own: MetricsExporter) => MetricsExporter;
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
  rejectConfig(problems: readonly string[]): Promise<void>;
}

/** Events that a slow reader of `notices` or `healthChanges` may fall behind. */
const MAX_EVENTS = 1_024;

/** Puts the program together: the only place that picks implementations. */
export async function createApp(config: Config, { clock, logger, wrapMetricsExporter }: AppDeps): Promise<App> {
  await using opened = new ResourceStack();
  const authenticator = opened.add(await createAuthenticator(config.auth, { clock, logger }));
  const store = new Store({
    epoch: randomBytes(6).toString('base64url'),
    maxTombstones: config.tombstones,
    maxEvents: MAX_EVENTS,
    timeline: config.bus === 'memory' ? null : new RevisionTimeline(),
  });
  const metrics = new PrometheusMetrics();
  opened.add(
    store.onCommit(({ serverId, serverRemoved }) => {
      if (serverRemoved) metrics.forget(serverId);
    }),
  );
  const { tracesUrl } = config;
  const tracer = tracesUrl === null ? null : opened.add(await createTracer({ url: tracesUrl, clock, logger }));
  if (tracer !== null) {
    opened.add(
      store.onCommit((change) => {
        if (!hasStateChanges(change)) return;
        const { serverId, agents, removedAgentIds } = change;
        tracer.recordChange({
          serverId,
          agents: agents.length,
          removedAgents: removedAgentIds.length,
          revision: store.revision,
        });
      }),
    );
  }
  const demand = new Demand();
  const node = opened.add(openCoordination(config, { store, demand, clock, logger }));
  const { bus, ownership } = node;
  const collector = opened.add(
    new UpstreamRegistry(config.servers, {
      store,
      bus,
      demand,
      clock,
      logger,
      random: Math.random,
      heartbeatMs: config.heartbeatMs,
      removeAfterMs: config.removeAfterMs,
      ownership,
      metrics,
      tracer,
    }),
  );
  const commits = opened.add(new CommitWaiter(store));
  const rateClock = new RateClock(clock);
  const active = new ActiveStreams();
  const utilization = createUtilizationProbe();
  const onError = (error: unknown): void =>
    logger.error({ error: errorMessage(error) }, 'a shared subscription failed');
  const groups = opened.add(
    new SubscriptionGroups({ store, demand, rateClock, active, utilization, onError, metrics, tracer }),
  );
  const live = new ConfigReloader(config, { collector, bus, clock, logger });
  let own: { readonly url: string } | null = null;
  const candidates = opened.add(
    new DiscoveryCache(clock, () => ({
      ...config.discovery,
      known: live.servers,
      configFile: config.file,
      self: own,
      clock,
      logger,
    })),
  );
  const streams = { store, demand, commits, rateClock, active, groups };
  const sights = opened.add(
    new AccessScopes({
      unrestricted: { store, upstreams: collector, candidates, streams },
      maxTombstones: config.tombstones,
      maxEvents: MAX_EVENTS,
      utilization,
      clock,
      onError,
      metrics,
      tracer,
    }),
  );
  const tapped = new TapRegistry({
    upstreams: collector,
    defaults: DEFAULT_SERVER_OPTIONS,
    bus,
    clock,
    logger,
    isConfigured: (id) => live.servers.some((server) => server.id === id),
  });
  const counters = new MemoryLimitCounters();
  const limiter = new OncePerSecondLimiter(node.createRateLimiter, counters);
  const discovered = collector.ready();
  const server = opened.add(
    await startServer({
      host: config.host,
      port: config.port,
      authenticator,
      origins: config.origins,
      anyHost: config.insecureNoAuth,
      services: { rateClock, clock, limitToOncePerSecond: (what, clientId) => limiter.consume(what, clientId) },
      accessScopes: sights,
      trustedDocuments: config.trustedDocuments,
      joinTap: (tap) => tapped.join(tap),
      activeStreams: active,
      clock,
      logger,
      playgroundDirectory: fileURLToPath(new URL('../playground/', import.meta.url)),
      discovered,
      notReadyReason: node.notReadyReason,
      delivery: config,
      limits: config.limits,
      counters,
      createRateLimiter: node.createRateLimiter,
      metrics: wrapMetricsExporter === undefined ? metrics : wrapMetricsExporter(metrics),
      shutdownMs: config.shutdownMs,
    }),
  );
  own = server;
  const processFigures = opened.add(new ProcessMetrics());
  const { maxBufferedBytes } = config;
  for (const figure of [
    ...processFigures.metrics,
    ...deliveryMetrics({ streams: active, sights, server, counters, maxBufferedBytes }),
    ...serverMetrics({ store, collector, clock }),
    ...busMetrics(node.busStats),
  ]) {
    metrics.register(figure);
  }
  await live.publishStartupWarnings();
  if (config.insecureNoAuth) {
    const remind = (message: string): void => {
      live
        .warn('INSECURE_NO_AUTH', message)
        .catch((error: unknown) => logger.error({ error: errorMessage(error) }, 'no notice'));
    };
    opened.add(new InsecureModeWarning(clock, remind));
  }
  const kept = opened.keep();
  return {
    url: server.url,
    discovered,
    applyConfig: (changed) => live.apply(changed),
    rejectConfig: (problems) => live.reject(problems),
    [Symbol.asyncDispose]: () => kept[Symbol.asyncDispose](),
  };
}

/** What has been opened so far, closed in the opposite order: all of it when a later step fails. */
class ResourceStack implements AsyncDisposable {
  #resources: (AsyncDisposable | Disposable)[] = [];

  add<T extends AsyncDisposable | Disposable>(resource: T): T {
    this.#resources.push(resource);
    return resource;
  }

  /** Hands everything over to the caller, who closes it. */
  keep(): ResourceStack {
    const kept = new ResourceStack();
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
