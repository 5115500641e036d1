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
import { type Clock, errorMessage, loadTapKey, type MetricsExporter, type Logger } from '../shared/index.js';
import { collectSecrets, protectSecrets } from '../shared/sanitize/index.js';
import { AccessScopes } from '../access/index.js';
import { createMetrics, createTracer } from '../telemetry/index.js';

export interface AppDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Wraps the exporter that `/metrics` uses. @default the metrics of this process */
  readonly wrapMetricsExporter?: (exporter: MetricsExporter) => MetricsExporter;
}

/** A running swarmlens. Disposing it closes every connection and every child process that it started. */
export interface App extends AsyncDisposable {
  /** URL without a path: `http://127.0.0.1:4000`. */
  readonly url: string;
  /** Resolves when each server has answered or failed for the first time. */
  readonly discovered: Promise<void>;
  /** Connects, drops and reconnects servers until they match the changed configuration. */
  applyConfig(config: Config): Promise<void>;
  /** Reports the mistakes of a changed configuration, one line each. The current configuration stays in effect. */
  rejectConfig(problems: readonly string[]): Promise<void>;
}

/** Maximum number of notices and health changes that the ring buffer keeps for slow readers. */
const MAX_EVENTS = 1_024;

/** Wires the program. The only place that picks implementations. */
export async function createApp(config: Config, { clock, logger, wrapMetricsExporter }: AppDeps): Promise<App> {
  await using opened = new ResourceStack();
  opened.add(protectSecrets(collectSecrets(config)));
  const authenticator = opened.add(await createAuthenticator(config.auth, { clock, logger }));
  const store = new Store({
    epoch: randomBytes(6).toString('base64url'),
    maxTombstones: config.tombstones,
    maxEvents: MAX_EVENTS,
    timeline: config.bus === 'memory' ? null : new RevisionTimeline(),
  });
  const metrics = await createMetrics();
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
  const upstreams = opened.add(
    new UpstreamRegistry(config.servers, {
      store,
      bus,
      demand,
      clock,
      logger,
      random: Math.random,
      heartbeatMs: config.heartbeatMs,
      removeAfterMs: config.removeAfterMs,
      maxAgentsPerServer: config.limits.maxAgentsPerServer,
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
  const reloader = opened.add(new ConfigReloader(config, { upstreams, bus, clock, logger }));
  let self: { readonly url: string } | null = null;
  const candidates = opened.add(
    new DiscoveryCache(clock, () => ({
      ...config.discovery,
      known: reloader.servers,
      configFile: config.file,
      self,
      clock,
      logger,
    })),
  );
  const streams = { store, demand, commits, rateClock, active, groups };
  const accessScopes = opened.add(
    new AccessScopes({
      unrestricted: { store, upstreams, candidates, streams },
      maxTombstones: config.tombstones,
      maxEvents: MAX_EVENTS,
      utilization,
      clock,
      onError,
      metrics,
      tracer,
    }),
  );
  const taps = new TapRegistry({
    upstreams,
    defaults: DEFAULT_SERVER_OPTIONS,
    mappings: config.tapMappings,
    bus,
    clock,
    logger,
    isConfigured: (id) => reloader.servers.some((server) => server.id === id),
  });
  const counters = new MemoryLimitCounters();
  const limiter = new OncePerSecondLimiter({
    createRateLimiter: node.createRateLimiter,
    counters,
    maxActionsPerAddress: config.limits.maxActionsPerAddress,
  });
  const discovered = Promise.race([
    upstreams.ready(),
    new Promise<void>((resolve) => opened.add(clock.schedule(MAX_DISCOVERY_MS, resolve))),
  ]);
  const server = opened.add(
    await startServer({
      host: config.host,
      port: config.port,
      authenticator,
      origins: config.origins,
      allowHeaders: config.allowHeaders,
      anyHost: config.insecureNoAuth,
      services: { rateClock, clock, limitToOncePerSecond: (what, client) => limiter.consume(what, client) },
      accessScopes,
      trustedDocuments: config.trustedDocuments,
      joinTap: (tap) => taps.join(tap),
      loadTapKey: () => loadTapKey(config.tapKeyFile),
      activeStreams: active,
      clock,
      logger,
      playgroundDirectory: fileURLToPath(new URL('../playground/', import.meta.url)),
      discovered,
      busFailure: node.busFailure,
      delivery: config,
      limits: config.limits,
      counters,
      createRateLimiter: node.createRateLimiter,
      metrics: wrapMetricsExporter === undefined ? metrics : wrapMetricsExporter(metrics),
      shutdownMs: config.shutdownMs,
    }),
  );
  self = server;
  const processMetrics = opened.add(new ProcessMetrics());
  const { maxBufferedBytes } = config;
  for (const metric of [
    ...processMetrics.metrics,
    ...deliveryMetrics({ streams: active, accessScopes, server, counters, maxBufferedBytes }),
    ...serverMetrics({ store, upstreams, clock }),
    ...busMetrics(node.busStats),
  ]) {
    metrics.register(metric);
  }
  await reloader.publishStartupWarnings();
  if (config.insecureNoAuth) {
    const warn = (message: string): void => {
      reloader
        .warn('INSECURE_NO_AUTH', message)
        .catch((error: unknown) => logger.error({ error: errorMessage(error) }, 'notice not published'));
    };
    opened.add(new InsecureModeWarning(clock, warn));
  }
  const kept = opened.keep();
  return {
    url: server.url,
    discovered,
    applyConfig: (changed) => reloader.apply(changed),
    rejectConfig: (problems) => reloader.reject(problems),
    [Symbol.asyncDispose]: () => kept[Symbol.asyncDispose](),
  };
}

/**
 * Time in milliseconds after which the first discovery ends without the servers that still start. They may install packages
 * for longer.
 */
const MAX_DISCOVERY_MS = 120_000;

/** Opened resources. Closes them in reverse order, also when a later step of the start fails. */
class ResourceStack implements AsyncDisposable {
  #resources: (AsyncDisposable | Disposable)[] = [];

  add<T extends AsyncDisposable | Disposable>(resource: T): T {
    this.#resources.push(resource);
    return resource;
  }

  /** Transfers all resources to the caller, which must close the result. */
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
