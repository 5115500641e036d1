import type { Authenticator } from '../auth/index.js';
import type { ActiveStreams } from '../delivery/index.js';
import type { LimitCounters } from './limits/limit-counters.js';
import type { Limits } from '../config/index.js';
import { ClientRateLimiter, type RateLimiterFactory } from './limits/rate-limiter.js';
import type { ResolverServices } from '../schema/index.js';
import { type Clock, errorMessage, type MetricsExporter, sleep } from '../shared/index.js';
import type { AccessScopes } from '../access/index.js';
import type { Logger } from '../telemetry/index.js';
import { ConnectionRegistry } from './websocket/connection-registry.js';
import { ErrorMasker } from './plugins/error-masking.js';
import { ConnectionAdmission } from './limits/connection-admission.js';
import { SseResponses } from './sse/sse-responses.js';
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
import { CLOSE_GOING_AWAY, GOING_AWAY_REASON, serveWebSockets } from './websocket/websocket-server.js';

export interface StartServerOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** Tells who asks; closed by whoever has opened it, after the server. */
  readonly authenticator: Authenticator;
  /** Of pages of others that may use the server. */
  readonly origins: readonly string[];
  /** Whether it is reached under any name, although nobody has to say who they are. */
  readonly anyHost: boolean;
  readonly services: Omit<ResolverServices, 'nodeHealth'>;
  readonly accessScopes: Pick<AccessScopes, 'servicesFor'>;
  readonly joinTap: TapAcceptorOptions['join'];
  readonly activeStreams: ActiveStreams;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Of the built playground. */
  readonly playgroundDirectory: string;
  /** Resolves when the first discovery has ended. */
  readonly discovered: Promise<void>;
  /** What keeps that from coming, for a person, if it is known; left out: it is not. */
  readonly notReadyReason?: () => string | null;
  readonly delivery: DeliveryOptions;
  readonly limits: Limits;
  readonly counters: LimitCounters;
  /** What rates are counted with. */
  readonly createRateLimiter: RateLimiterFactory;
  /** The only ones that are run, by the SHA-256 of their text; `null`, or left out: all are. */
  readonly trustedDocuments?: ReadonlyMap<string, string> | null;
  /** What `/metrics` shows; `null`, or left out: there is no such page. */
  readonly metrics?: MetricsExporter | null;
  /** How long the end may take: clients are asked to leave within the first half of it, and cut off after three quarters. */
  readonly shutdownMs: number;
}

export interface DeliveryOptions {
  /** Bytes of an update from which on clients that ask for it get it compressed; `null`: never. */
  readonly compressFromBytes: number | null;
  /** Unsent bytes above which a client gets no further updates until they have gone. */
  readonly maxBufferedBytes: number;
  /** How long a client may stay like that before it is closed with 1013; `null`: for ever. */
  readonly maxSlowMs: number | null;
}

export interface SwarmlensServer extends AsyncDisposable {
  /** Without a path. */
  readonly url: string;
  readonly connections: Pick<
    ConnectionRegistry,
    'size' | 'slowCount' | 'unsentBytes' | 'maxUnsentBytes' | 'roundTripsMs'
  >;
  readonly traffic: Pick<TrafficMeter, 'connections' | 'sentBytes' | 'receivedBytes'>;
}

/** GraphQL over HTTP, SSE and WebSocket, GraphiQL, the playground, the health paths and the metrics, all on one port. */
export async function startServer(options: StartServerOptions): Promise<SwarmlensServer> {
  const { clock, logger } = options;
  let notReady: string | null = 'the first discovery has not ended yet';
  let draining = false;
  const { maxBufferedBytes, maxSlowMs, compressFromBytes } = options.delivery;
  const isDraining = (): boolean => draining;
  const streams = new SseResponses();
  const connections = new ConnectionRegistry({ clock, maxBufferedBytes, maxSlowMs });
  const mask = new ErrorMasker(logger);
  const sharing = new SubscriptionSharing({ threshold: compressFromBytes }, mask);
  const { limits, counters } = options;
  const subscriptions = new SubscriptionLimits(limits, counters);
  const meter = new NodeHealthMeter(connections, options.activeStreams, counters);
  const services = { ...options.services, nodeHealth: () => meter.read() };
  const trusted = options.trustedDocuments == null ? null : new TrustedDocuments(options.trustedDocuments);
  const { authenticator, origins, accessScopes } = options;
  const graphql = createGraphQLHandler({
    services,
    accessScopes,
    sharing,
    authenticator,
    mask,
    limits,
    counters,
    subscriptions,
    logger,
    trusted,
  });
  const tokens = authenticator.isRequired;
  const door = { anyHost: options.anyHost || tokens, origins, tokens };
  const server = createHttpServer({
    graphql,
    authenticator,
    originPolicy: door,
    mask,
    limits,
    counters,
    requests: new ClientRateLimiter(
      'maxRequestsPerSecond',
      limits.maxRequestsPerSecond,
      options.createRateLimiter,
      counters,
    ),
    admissionRejection: (socket) => admission.rejectionFor(socket),
    metrics: options.metrics ?? null,
    logger,
    playground: createPlaygroundHandler(options.playgroundDirectory),
    notReady: () => (draining ? 'draining' : notReady && (options.notReadyReason?.() ?? notReady)),
    isDraining,
    streams,
  });
  const admission = new ConnectionAdmission(server, limits, counters, clock);
  const traffic = new TrafficMeter(server);
  const compress = compressFromBytes !== null;
  const taps = new TapAcceptor({ join: options.joinTap, authenticator, originPolicy: door, logger });
  const sockets = serveWebSockets({
    server,
    graphql,
    authenticator,
    originPolicy: door,
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
    logger,
  });
  const url = await listen(server, options.host, options.port);
  // Not waited for at the end: a server that is never reached must not keep the program from stopping.
  options.discovered.then(
    () => {
      notReady = null;
    },
    (error: unknown) => {
      notReady = errorMessage(error);
    },
  );
  return {
    url,
    connections,
    traffic,
    async [Symbol.asyncDispose]() {
      // From now on not ready, and sending away whoever is new, but still listening: who asks is told, until all have left.
      draining = true;
      const left = new AbortController();
      const over = new AbortController();
      const patience = sleep(clock, options.shutdownMs * CUT_OFF, left.signal).then(() => {
        over.abort();
        connections.terminateAll();
        server.closeAllConnections();
      });
      const closers = [...connections.closeActions(CLOSE_GOING_AWAY, GOING_AWAY_REASON), ...streams.closeActions()];
      await closeGradually(clock, closers, options.shutdownMs * LEAVING, left.signal);
      await connections.allClosed();
      const ended = sockets[Symbol.asyncDispose]();
      // Who came after the others were cut off.
      if (over.signal.aborted) connections.terminateAll();
      await ended;
      await taps[Symbol.asyncDispose]();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      if (over.signal.aborted) server.closeAllConnections();
      else server.closeIdleConnections();
      await closed;
      left.abort();
      await patience;
      connections[Symbol.dispose]();
      meter[Symbol.dispose]();
      admission[Symbol.dispose]();
      traffic[Symbol.dispose]();
      await graphql.dispose();
    },
  };
}

/** Shares of `shutdownMs`: within the first all are asked to leave, */
const LEAVING = 0.5;
/** and after this who has not left is cut off; what remains is for the rest of the program. */
const CUT_OFF = 0.75;
