import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { type Authenticator, requirePermission, type Viewer } from '../../auth/index.js';
import {
  CLOSE_FORBIDDEN,
  CLOSE_GOING_AWAY,
  CLOSE_TRY_AGAIN_LATER,
  type Clock,
  errorMessage,
  type Logger,
  MAX_MESSAGE_BYTES,
  SwarmlensError,
  TAP_CLOSE_REJECTED,
  TAP_PROTOCOLS,
  truncateCloseReason,
} from '../../shared/index.js';
import type { RequestAdmission } from '../limits/request-admission.js';
import { type OriginPolicy, type RequestRejection, checkRequest } from '../http/request-origin.js';
import { rejectUpgrade } from '../http/reject-upgrade.js';
import { toClientId } from '../limits/client-identity.js';
import type { CloseCounters } from '../limits/close-counters.js';
import type { SealedSocket } from './sealed-socket.js';
import { TapHandshake, type TapHandshakeFailure, type TapJoin } from './tap-handshake.js';

/** Size limit of one message from a tap, which may contain a complete tool response. */
const MAX_FRAME_BYTES = MAX_MESSAGE_BYTES + 64 * 1024;
/** Minimum interval between two log lines about rejected taps, which any local program can cause. */
const LOG_INTERVAL_MS = 60_000;

export interface TapAcceptorOptions {
  /** Registers a tap, or closes its WebSocket with the reason. */
  readonly join: (tap: {
    readonly name: string;
    readonly instance: string;
    readonly client: string | null;
    readonly origin: TapJoin['origin'];
    readonly allowTools: readonly string[];
    readonly socket: WebSocket | SealedSocket;
  }) => void;
  /** Authenticator of taps. A tap needs a token with the permission `servers:admin`, if tokens are required. */
  readonly authenticator: Pick<Authenticator, 'isRequired' | 'watch'>;
  /** Admission of all transports, which counts failed authentications. */
  readonly requests: Pick<RequestAdmission, 'authenticate'>;
  /** Returns the key that taps of the same user know. */
  readonly loadKey: () => Promise<Buffer>;
  readonly originPolicy: OriginPolicy;
  readonly clock: Clock;
  readonly closes: CloseCounters;
  readonly logger: Logger;
}

/** Accepts the WebSockets of taps at `/tap`. */
export class TapAcceptor implements AsyncDisposable {
  readonly #sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_FRAME_BYTES, perMessageDeflate: false });
  readonly #options: TapAcceptorOptions;
  #loggedAtMs = -Infinity;

  constructor(options: TapAcceptorOptions) {
    this.#options = options;
  }

  upgrade(request: IncomingMessage, duplex: Duplex, head: Buffer): void {
    const rejection = this.#checkRequest(request);
    if (rejection !== null) {
      this.#rejectUpgrade(request, duplex, rejection);
      return;
    }
    if (offersProtocol(request, TAP_PROTOCOLS.key)) {
      this.#accept(null, request, duplex, head);
      return;
    }
    // A client may disconnect during authentication.
    duplex.on('error', () => undefined);
    this.#authenticate(request, request.headers.authorization ?? null).then(
      (viewer) => this.#accept(viewer, request, duplex, head),
      (error: unknown) =>
        this.#rejectUpgrade(request, duplex, { status: toStatus(error), reason: this.#toReason(error) }),
    );
  }

  #rejectUpgrade(request: IncomingMessage, duplex: Duplex, { status, reason }: UpgradeRejection): void {
    const { closes, logger } = this.#options;
    closes.upgradeRejected(status);
    logger.debug({ clientId: toClientId(request, null), status, reason }, 'upgrade of a tap rejected');
    rejectUpgrade(duplex, status, reason);
  }

  /** Returns why an upgrade request is rejected before authentication, or null. */
  #checkRequest(request: IncomingMessage): Pick<RequestRejection, 'status' | 'reason'> | null {
    const { headers } = request;
    if (headers.origin !== undefined || headers['sec-fetch-site'] !== undefined) {
      return { status: 403, reason: 'Taps cannot connect from web pages.' };
    }
    const rejection = checkRequest(request, this.#options.originPolicy);
    if (rejection !== null || offersProtocol(request, TAP_PROTOCOLS.key)) return rejection;
    if (!offersProtocol(request, TAP_PROTOCOLS.token)) {
      const reason = 'The tap is too old: it does not check that it talks to swarmlens. Update swarmlens for the tap.';
      this.#logRejection(reason);
      return { status: 400, reason };
    }
    if (this.#options.authenticator.isRequired) return null;
    const reason = 'The tap must prove that it knows the tap key. Start it with --key-file.';
    this.#logRejection(reason);
    return { status: 403, reason };
  }

  async #authenticate(request: IncomingMessage, authorization: string | null): Promise<Viewer> {
    const viewer = await this.#options.requests.authenticate(request, authorization);
    requirePermission(viewer, 'servers:admin');
    return viewer;
  }

  /** @param viewer viewer of a tap that is authenticated by its token. Null for a tap that must prove that it knows the key. */
  #accept(viewer: Viewer | null, request: IncomingMessage, duplex: Duplex, head: Buffer): void {
    const { clock, closes, loadKey, logger } = this.#options;
    const clientId = toClientId(request, viewer?.subject ?? null);
    const openedAtMs = clock.monotonic();
    this.#sockets.handleUpgrade(request, duplex, head, (socket) => {
      socket.once('close', (code, reason) => {
        closes.tapClosed(code);
        const durationMs = Math.round(clock.monotonic() - openedAtMs);
        logger.debug({ clientId, code, reason: reason.toString('utf8'), durationMs }, 'websocket of a tap closed');
      });
      socket.on('error', (error) => logger.debug({ error: error.message }, 'tap socket error'));
      new TapHandshake(socket, {
        duplex,
        loadKey: viewer === null ? loadKey : null,
        clock,
        onJoin: (join, messages) => {
          const authenticated =
            viewer === null
              ? this.#authenticate(request, join.token == null ? null : `Bearer ${join.token}`)
              : Promise.resolve(viewer);
          authenticated
            .then((accepted) => this.#join(accepted, join, socket, messages))
            .catch((error: unknown) => {
              const code = toStatus(error) < 429 ? CLOSE_FORBIDDEN : CLOSE_TRY_AGAIN_LATER;
              socket.close(code, truncateCloseReason(this.#toReason(error)));
            });
        },
        onFailure: (failure) => this.#reject(socket, failure),
      });
    });
  }

  #join(
    viewer: Viewer,
    { server, instance, client = null, origin, allowTools }: TapJoin,
    socket: WebSocket,
    messages: WebSocket | SealedSocket,
  ): void {
    const { serverIds } = viewer.restriction;
    if (serverIds !== null && !serverIds.includes(server)) {
      // The message must not reveal whether the server exists.
      throw new SwarmlensError('FORBIDDEN', `The token gives no access to a server named "${server}".`);
    }
    if (socket.readyState !== socket.OPEN) return;
    const watch = this.#options.authenticator.watch(viewer, (reason) => socket.close(CLOSE_FORBIDDEN, reason));
    socket.once('close', () => watch[Symbol.dispose]());
    this.#options.join({ name: server, instance, client, origin, allowTools, socket: messages });
  }

  #reject(socket: WebSocket, { kind, error }: TapHandshakeFailure): void {
    if (kind === 'UNAVAILABLE') {
      this.#logRejection(`The tap key of swarmlens cannot be used: ${errorMessage(error)}`);
      socket.close(CLOSE_TRY_AGAIN_LATER, 'swarmlens cannot read its tap key');
      return;
    }
    if (kind === 'UNPROVED') {
      this.#logRejection('The tap does not know the tap key of swarmlens. Does it belong to another user?');
      socket.close(CLOSE_FORBIDDEN, 'the tap does not know the tap key');
    } else {
      socket.close(TAP_CLOSE_REJECTED.badRequest, kind === 'TIMEOUT' ? 'handshake timeout' : 'invalid handshake');
    }
    // The rest of a message that is too long is not awaited.
    socket.terminate();
  }

  #toReason(error: unknown): string {
    if (error instanceof SwarmlensError) return error.message;
    this.#options.logger.error({ error: errorMessage(error) }, 'tap authentication failed');
    return 'Internal server error.';
  }

  #logRejection(reason: string): void {
    const { clock, logger } = this.#options;
    const nowMs = clock.monotonic();
    if (nowMs - this.#loggedAtMs < LOG_INTERVAL_MS) return;
    this.#loggedAtMs = nowMs;
    logger.warn({ code: 'TAP_REFUSED' }, `Rejected a tap: ${reason}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets.clients) {
      // The close frame is handed to the kernel before the socket is destroyed.
      socket.close(CLOSE_GOING_AWAY);
      socket.terminate();
    }
    await new Promise<void>((resolve) => this.#sockets.close(() => resolve()));
  }
}

/** HTTP status and reason with which an upgrade request is rejected. */
interface UpgradeRejection {
  readonly status: Parameters<typeof rejectUpgrade>[1];
  readonly reason: string;
}

function offersProtocol(request: IncomingMessage, protocol: string): boolean {
  const offered = request.headers['sec-websocket-protocol'] ?? '';
  return offered.split(',').some((entry) => entry.trim() === protocol);
}

function toStatus(error: unknown): 401 | 403 | 429 | 503 {
  if (!(error instanceof SwarmlensError)) return 503;
  if (error.code === 'UNAUTHENTICATED') return 401;
  if (error.code === 'FORBIDDEN') return 403;
  return error.code === 'RATE_LIMITED' ? 429 : 503;
}
