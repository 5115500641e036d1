import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { type Authenticator, requirePermission, type Viewer } from '../../auth/index.js';
import { CLOSE_FORBIDDEN, CLOSE_GOING_AWAY, errorMessage, SwarmlensError, type Logger } from '../../shared/index.js';
import { type OriginPolicy, type RequestRejection, checkRequest } from '../http/request-origin.js';
import { rejectUpgrade } from '../http/reject-upgrade.js';

/** Size limit of one message from a tap, which may contain a complete tool response. */
const MAX_MESSAGE_BYTES = 10 * 1024 * 1024 + 64 * 1024;

export interface TapAcceptorOptions {
  /** Registers a tap, or closes its WebSocket with the reason. */
  readonly join: (tap: { readonly name: string; readonly instance: string; readonly socket: WebSocket }) => void;
  /** Authenticator of upgrade requests. A tap needs a token with the permission `servers:admin`, if tokens are required. */
  readonly authenticator: Authenticator;
  readonly originPolicy: OriginPolicy;
  readonly logger: Logger;
}

/** Accepts the WebSockets of taps at `/tap`. */
export class TapAcceptor implements AsyncDisposable {
  readonly #sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_MESSAGE_BYTES, perMessageDeflate: false });
  readonly #options: TapAcceptorOptions;

  constructor(options: TapAcceptorOptions) {
    this.#options = options;
  }

  upgrade(request: IncomingMessage, duplex: Duplex, head: Buffer): void {
    const rejection = checkTapRequest(request, this.#options.originPolicy);
    if (rejection !== null) {
      rejectUpgrade(duplex, rejection.status, rejection.reason);
      return;
    }
    // A client may disconnect during authentication.
    duplex.on('error', () => undefined);
    this.#authenticate(request).then(
      (viewer) => this.#accept(viewer, request, duplex, head),
      (error: unknown) => rejectUpgrade(duplex, toStatus(error), this.#toReason(error, parseTapUrl(request).name)),
    );
  }

  async #authenticate(request: IncomingMessage): Promise<Viewer> {
    const viewer = await this.#options.authenticator.authenticate(request.headers.authorization ?? null);
    requirePermission(viewer, 'servers:admin');
    const { serverIds } = viewer.restriction;
    const { name } = parseTapUrl(request);
    if (serverIds !== null && !serverIds.includes(name)) {
      // The message must not reveal whether the server exists.
      throw new SwarmlensError('FORBIDDEN', `The token gives no access to a server named "${name}".`);
    }
    return viewer;
  }

  #accept(viewer: Viewer, request: IncomingMessage, duplex: Duplex, head: Buffer): void {
    if (duplex.destroyed) return;
    const { name, instance } = parseTapUrl(request);
    this.#sockets.handleUpgrade(request, duplex, head, (socket) => {
      socket.on('error', (error) =>
        this.#options.logger.debug({ serverId: name, error: error.message }, 'tap socket error'),
      );
      const watch = this.#options.authenticator.watch(viewer, (reason) => socket.close(CLOSE_FORBIDDEN, reason));
      socket.once('close', () => watch[Symbol.dispose]());
      this.#options.join({ name, instance, socket });
    });
  }

  #toReason(error: unknown, name: string): string {
    if (error instanceof SwarmlensError) return error.message;
    this.#options.logger.error({ serverId: name, error: errorMessage(error) }, 'tap authentication failed');
    return 'Internal server error.';
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

/** Parses the server name and the instance id from the URL of a tap's upgrade request. */
function parseTapUrl(request: IncomingMessage): { readonly name: string; readonly instance: string } {
  const { searchParams } = new URL(request.url ?? '/', 'http://localhost');
  return { name: searchParams.get('server') ?? '', instance: searchParams.get('instance') ?? '' };
}

/** Returns why an upgrade request is rejected before authentication, or null. */
function checkTapRequest(request: IncomingMessage, originPolicy: OriginPolicy): RequestRejection | null {
  const { headers } = request;
  if (headers.origin !== undefined || headers['sec-fetch-site'] !== undefined) {
    return { status: 403, reason: 'Taps cannot connect from web pages.' };
  }
  return checkRequest(request, originPolicy);
}

function toStatus(error: unknown): 401 | 403 | 503 {
  if (!(error instanceof SwarmlensError)) return 503;
  return error.code === 'UNAUTHENTICATED' ? 401 : error.code === 'FORBIDDEN' ? 403 : 503;
}
