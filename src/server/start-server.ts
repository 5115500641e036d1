import type { Socket } from 'node:net';
import type { Authenticator } from '../auth/index.js';
import type { ActiveStreams } from '../delivery/index.js';
import type { LimitCounters } from './limits/limit-counters.js';
import type { Config, Limits } from '../config/index.js';
import type { RateLimiterFactory } from './limits/rate-limiter.js';
import { RequestAdmission } from './limits/request-admission.js';
import { type AnswerBudgetOptions, type Readiness, type ResolverServices, SliceTurns } from '../schema/index.js';
import {
  CLOSE_GOING_AWAY,
  type Clock,
  errorMessage,
  type MetricsExporter,
  sleep,
  type Logger,
} from '../shared/index.js';
import type { AccessScopes } from '../access/index.js';
import { ConnectionRegistry } from './websocket/connection-registry.js';
import { CloseCounters } from './limits/close-counters.js';
import { HttpLiveness } from './limits/http-liveness.js';
import { LivenessMonitor } from './limits/liveness-monitor.js';
import { ErrorMasker } from './plugins/error-masking.js';
import { ConnectionAdmission } from './limits/connection-admission.js';
import { SseResponses } from './sse/sse-responses.js';
import { createGraphiQLOptions } from './graphiql/graphiql.js';
import { createGraphQLHandler } from './graphql-handler.js';
import { createHttpServer, listen } from './http/http-server.js';
import { NodeHealthMeter } from './node-health-meter.js';
import { createPlaygroundHandler } from './http/playground-handler.js';
import { SubscriptionSharing } from './sharing/shared-subscriptions.js';
import { closeGradually } from './shutdown.js';
import { TrafficMeter } from './traffic-meter.js';
import { TapAcceptor, type TapAcceptorOptions } from './websocket/tap-acceptor.js';
import { SubscriptionLimits } from './plugins/subscription-limits.js';
import { TrustedDocuments } from './plugins/trusted-documents.js';
import { GOING_AWAY_REASON, serveWebSockets } from './websocket/websocket-server.js';

export interface StartServerOptions {
  readonly host: string;
  /** Port to listen on. 0 picks a free port. */
  readonly port: number;
  /** Authenticator of all requests. Owned by the caller, which disposes it after the server. */
  readonly authenticator: Authenticator;
  /** Origins of other web pages that may use the server. */
  readonly origins: readonly string[];
  /** Names of further request headers that pages of these origins may send. */
  readonly allowHeaders?: readonly string[];
  /** Whether any `Host` header is accepted although no token is required. */
  readonly anyHost: boolean;
  readonly services: Omit<ResolverServices, 'nodeHealth'>;
  readonly accessScopes: Pick<AccessScopes, 'servicesFor'>;
  readonly joinTap: TapAcceptorOptions['join'];
  /** Returns the key that taps of the same user know. */
  readonly loadTapKey: TapAcceptorOptions['loadKey'];
  readonly activeStreams: ActiveStreams;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Directory of the built playground. */
  readonly playgroundDirectory: string;
  /** Resolves when the first discovery is complete. */
  readonly discovered: Promise<void>;
  /** Returns why the bus to other nodes is unavailable, or null if it is available. Missing for a single node. */
  readonly busFailure?: () => string | null;
  readonly delivery: DeliveryOptions;
  readonly limits: Limits;
  readonly counters: LimitCounters;
  /** Creates the rate limiters of all clients. */
  readonly createRateLimiter: RateLimiterFactory;
  /** Documents that may run, by the SHA-256 of their text. Null or missing if every document may run. */
  readonly trustedDocuments?: ReadonlyMap<string, string> | null;
  /** Exporter of `/metrics`. Null or missing if the path is not served. */
  readonly metrics?: MetricsExporter | null;
  /**
   * Longest duration of a shutdown in milliseconds. Clients are closed with a retryable code within the first half, and
   * remaining connections are terminated after three quarters.
   */
  readonly shutdownMs: number;
}

/** Options of the delivery to WebSocket clients. */
export type DeliveryOptions = Pick<Config, 'compressFromBytes' | 'maxBufferedBytes' | 'maxSlowMs'>;

export interface SwarmlensServer extends AsyncDisposable {
  /** URL of the server without a path. */
  readonly url: string;
  readonly connections: Pick<
    ConnectionRegistry,
    'size' | 'slowCount' | 'unsentBytes' | 'maxUnsentBytes' | 'roundTripsMs'
  >;
  readonly traffic: Pick<TrafficMeter, 'connections' | 'sentBytes' | 'receivedBytes'>;
  readonly closes: Pick<CloseCounters, 'webSockets' | 'taps' | 'rejectedUpgrades' | 'streams' | 'unresponsiveClients'>;
}

/**
 * Starts the HTTP server: GraphQL over HTTP, SSE and WebSocket, GraphiQL, the playground, the health paths and the
 * metrics, all on one port. Disposing the result shuts it down gracefully.
 */
export async function startServer(options: StartServerOptions): Promise<SwarmlensServer> {
  const { clock, logger } = options;
  let discoveryDetail: string | null = 'The first discovery is not complete yet.';
  let draining = false;
  const { maxBufferedBytes, maxSlowMs, compressFromBytes } = options.delivery;
  const isDraining = (): boolean => draining;
  const closes = new CloseCounters();
  const liveness = new LivenessMonitor({ clock, maxSlowMs });
  const streams = new SseResponses({ closes, clock, logger });
  const connections = new ConnectionRegistry({ clock, liveness, maxBufferedBytes, closes, logger });
  const { limits, counters } = options;
  const trusted = options.trustedDocuments == null ? null : new TrustedDocuments(options.trustedDocuments);
  const mask = new ErrorMasker(logger, { hidesSchema: !limits.introspection || trusted !== null });
  const budget: AnswerBudgetOptions = {
    maxValues: limits.maxAnswerValues,
    turns: new SliceTurns(),
    onExceeded: () => counters.hit('maxAnswerValues'),
  };
  const sharing = new SubscriptionSharing({ threshold: compressFromBytes }, mask, budget, {
    maxValues: limits.maxUpdateValues,
    onExceeded: () => counters.hit('maxUpdateValues'),
  });
  const subscriptions = new SubscriptionLimits(limits, counters);
  const readiness = (): Readiness => {
    if (draining) return { reason: 'draining', detail: null };
    const busFailure = options.busFailure?.() ?? null;
    if (busFailure !== null) return { reason: 'redis-unavailable', detail: busFailure };
    return { reason: discoveryDetail === null ? null : 'starting', detail: discoveryDetail };
  };
  const meter = new NodeHealthMeter(connections, options.activeStreams, counters, readiness);
  const services = { ...options.services, nodeHealth: () => meter.read() };
  const { authenticator, origins, accessScopes } = options;
  const graphql = createGraphQLHandler({
    services,
    accessScopes,
    sharing,
    budget,
    authenticator,
    mask,
    limits,
    counters,
    subscriptions,
    logger,
    trusted,
    compressFromBytes,
  });
  const tokens = authenticator.isRequired;
  const originPolicy = {
    anyHost: options.anyHost || tokens,
    origins,
    allowHeaders: options.allowHeaders ?? [],
    tokens,
  };
  const requests = new RequestAdmission({
    authenticator,
    limits,
    counters,
    createRateLimiter: options.createRateLimiter,
  });
  const server = createHttpServer({
    graphql,
    originPolicy,
    mask,
    limits,
    counters,
    admission: requests,
    graphiql: limits.graphiql ? createGraphiQLOptions(tokens, trusted !== null) : null,
    admissionRejection: (socket) => admission.rejectionFor(socket),
    metrics: options.metrics ?? null,
    logger,
    playground: createPlaygroundHandler(options.playgroundDirectory),
    notReady: () => readiness().reason,
    isDraining,
    streams,
  });
  const admission = new ConnectionAdmission(server, limits, counters, clock);
  const traffic = new TrafficMeter(server);
  const markStream = (socket: Socket): boolean => streams.markUnresponsive(socket);
  const httpLiveness = new HttpLiveness(server, { liveness, closes, logger, markStream });
  const compress = compressFromBytes !== null;
  const taps = new TapAcceptor({
    join: options.joinTap,
    loadKey: options.loadTapKey,
    authenticator,
    requests,
    originPolicy,
    clock,
    closes,
    logger,
  });
  const sockets = serveWebSockets({
    server,
    graphql,
    requests,
    originPolicy,
    connections,
    sharing,
    taps,
    compress,
    limits,
    counters,
    subscriptions,
    admission,
    isDraining,
    clock,
    trusted,
    closes,
    mask,
    logger,
  });
  const url = await listen(server, options.host, options.port);
  // Not awaited during shutdown, because an unreachable upstream server must not delay it.
  options.discovered.then(
    () => {
      discoveryDetail = null;
    },
    (error: unknown) => {
      discoveryDetail = errorMessage(error);
    },
  );
  return {
    url,
    connections,
    traffic,
    closes,
    async [Symbol.asyncDispose]() {
      // The server keeps listening until all clients are gone, so that new requests receive an answer.
      draining = true;
      const allGone = new AbortController();
      const terminated = new AbortController();
      const termination = sleep(clock, options.shutdownMs * TERMINATE_AFTER, allGone.signal).then(() => {
        terminated.abort();
        connections.terminateAll();
        server.closeAllConnections();
      });
      const closeActions = [
        ...connections.closeActions(CLOSE_GOING_AWAY, GOING_AWAY_REASON),
        ...streams.closeActions(),
      ];
      await closeGradually(clock, closeActions, options.shutdownMs * CLOSE_WITHIN, allGone.signal);
      await connections.allClosed();
      const socketsClosed = sockets[Symbol.asyncDispose]();
      // Clients may have connected after the termination.
      if (terminated.signal.aborted) connections.terminateAll();
      await socketsClosed;
      await taps[Symbol.asyncDispose]();
      const serverClosed = new Promise<void>((resolve) => server.close(() => resolve()));
      if (terminated.signal.aborted) server.closeAllConnections();
      else server.closeIdleConnections();
      await serverClosed;
      allGone.abort();
      await termination;
      connections[Symbol.dispose]();
      meter[Symbol.dispose]();
      admission[Symbol.dispose]();
      traffic[Symbol.dispose]();
      httpLiveness[Symbol.dispose]();
      liveness[Symbol.dispose]();
      await graphql.dispose();
    },
  };
}

/** Share of `shutdownMs` within which all clients are closed with a retryable code. */
const CLOSE_WITHIN = 0.5;
/** Share of `shutdownMs` after which remaining connections are terminated. The rest is left to the rest of the program. */
const TERMINATE_AFTER = 0.75;
