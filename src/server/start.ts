import type { Authenticator } from '../auth/index.js';
import type { ActiveStreams } from '../delivery/index.js';
import { type LimitCounters, type Limits, type MakeRate, Rate } from '../limits/index.js';
import type { Services } from '../schema/index.js';
import { type Clock, messageOf, sleep } from '../shared/index.js';
import type { Sights } from '../sight/index.js';
import type { Logger } from '../telemetry/index.js';
import { Connections } from './connections.js';
import { ErrorMask } from './errors.js';
import { Admission } from './admission.js';
import { createGraphQL } from './graphql.js';
import { createHttpServer, listen } from './http.js';
import { NodeHealthMeter } from './node-health.js';
import { createPlaygroundHandler } from './playground.js';
import { Sharing } from './sharing.js';
import { TapGate, type TapGateOptions } from './tap-gate.js';
import { SubscriptionLimits } from './subscription-limits.js';
import { TrustedDocuments } from './trusted-documents.js';
import { serveWebSockets } from './websocket.js';

export interface StartOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** Tells who asks; closed by whoever has opened it, after the server. */
  readonly authenticator: Authenticator;
  /** Of pages of others that may use the server. */
  readonly origins: readonly string[];
  /** Whether it is reached under any name, although nobody has to say who they are. */
  readonly anyHost: boolean;
  readonly services: Omit<Services, 'nodeHealth'>;
  readonly sights: Pick<Sights, 'of'>;
  readonly joinTap: TapGateOptions['join'];
  readonly activeStreams: ActiveStreams;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Of the built playground. */
  readonly playgroundDirectory: string;
  /** Resolves when the first discovery has ended. */
  readonly discovered: Promise<void>;
  /** What keeps that from coming, for a person, if it is known; left out: it is not. */
  readonly trouble?: () => string | null;
  readonly delivery: DeliveryOptions;
  readonly limits: Limits;
  readonly counters: LimitCounters;
  /** What rates are counted with. */
  readonly makeRate: MakeRate;
  /** The only ones that are run, by the SHA-256 of their text; `null`, or left out: all are. */
  readonly trustedDocuments?: ReadonlyMap<string, string> | null;
  /** How long clients may take to leave. */
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
}

/** GraphQL over HTTP, SSE and WebSocket, GraphiQL, the playground and the health paths, all on one port. */
export async function startServer(options: StartOptions): Promise<SwarmlensServer> {
  const { clock, logger } = options;
  let notReady: string | null = 'the first discovery has not ended yet';
  let draining = false;
  const { maxBufferedBytes, maxSlowMs, compressFromBytes } = options.delivery;
  const connections = new Connections({ clock, maxBufferedBytes, maxSlowMs });
  const mask = new ErrorMask(logger);
  const sharing = new Sharing({ threshold: compressFromBytes }, mask);
  const { limits, counters } = options;
  const subscriptions = new SubscriptionLimits(limits, counters);
  const meter = new NodeHealthMeter(connections, options.activeStreams, counters);
  const services = { ...options.services, nodeHealth: () => meter.read() };
  const trusted = options.trustedDocuments == null ? null : new TrustedDocuments(options.trustedDocuments);
  const { authenticator, origins, sights } = options;
  const graphql = createGraphQL({
    services,
    sights,
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
    door,
    mask,
    limits,
    counters,
    requests: new Rate('maxRequestsPerSecond', limits.maxRequestsPerSecond, options.makeRate, counters),
    overloadOf: (socket) => admission.refusalOf(socket),
    playground: createPlaygroundHandler(options.playgroundDirectory),
    notReady: () => (draining ? 'draining' : notReady && (options.trouble?.() ?? notReady)),
  });
  const admission = new Admission(server, limits, counters, clock);
  const compress = compressFromBytes !== null;
  const taps = new TapGate({ join: options.joinTap, authenticator, door, logger });
  const sockets = serveWebSockets({
    server,
    graphql,
    authenticator,
    door,
    connections,
    sharing,
    taps,
    compress,
    limits,
    counters,
    subscriptions,
    admission,
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
      notReady = messageOf(error);
    },
  );
  return {
    url,
    async [Symbol.asyncDispose]() {
      draining = true;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      connections.closeAll(GOING_AWAY, 'Server is going away');
      server.closeIdleConnections();
      const left = new AbortController();
      const patience = sleep(clock, options.shutdownMs, left.signal).then(() => {
        connections.terminateAll();
        server.closeAllConnections();
      });
      await sockets[Symbol.asyncDispose]();
      await taps[Symbol.asyncDispose]();
      await closed;
      left.abort();
      await patience;
      connections[Symbol.dispose]();
      meter[Symbol.dispose]();
      admission[Symbol.dispose]();
      await graphql.dispose();
    },
  };
}

/** WebSocket close code that clients answer by connecting again. */
const GOING_AWAY = 1001;
