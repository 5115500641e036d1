import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { type Authenticator, requirePermission, type Viewer } from '../../auth/index.js';
import { errorMessage, SwarmlensError } from '../../shared/index.js';
import type { Logger } from '../../telemetry/index.js';
import { type OriginPolicy, type RequestRejection, checkRequest } from '../http/request-origin.js';
import { rejectUpgrade } from '../http/reject-upgrade.js';

/** Of one message of a tap's: what its server has answered. */
const MAX_MESSAGE_BYTES = 10 * 1024 * 1024 + 64 * 1024;
const GOING_AWAY = 1001;
/** As for all sockets whose token has ended. */
const FORBIDDEN = 4403;

export interface TapAcceptorOptions {
  /** Takes a tap in, or closes its socket saying why not. */
  readonly join: (tap: { readonly name: string; readonly instance: string; readonly socket: WebSocket }) => void;
  /** Tells who asks: with tokens, a tap needs one that permits `servers:admin`. */
  readonly authenticator: Authenticator;
  readonly originPolicy: OriginPolicy;
  readonly logger: Logger;
}

/** Where taps join. */
export class TapAcceptor implements AsyncDisposable {
  readonly #sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_MESSAGE_BYTES, perMessageDeflate: false });
  readonly #options: TapAcceptorOptions;

  constructor(options: TapAcceptorOptions) {
    this.#options = options;
  }

  upgrade(request: IncomingMessage, duplex: Duplex, head: Buffer): void {
    const refusal = whyNoTap(request, this.#options.originPolicy);
    if (refusal !== null) {
      rejectUpgrade(duplex, refusal.status, refusal.reason);
      return;
    }
    // Who leaves while it is found out who they are is no error of ours.
    duplex.on('error', () => undefined);
    this.#viewerOf(request).then(
      (viewer) => this.#admit(viewer, request, duplex, head),
      (error: unknown) => rejectUpgrade(duplex, statusOf(error), this.#reasonOf(error, askedBy(request).name)),
    );
  }

  async #viewerOf(request: IncomingMessage): Promise<Viewer> {
    const viewer = await this.#options.authenticator.authenticate(request.headers.authorization ?? null);
    requirePermission(viewer, 'servers:admin');
    const { serverIds } = viewer.restriction;
    const { name } = askedBy(request);
    if (serverIds !== null && !serverIds.includes(name)) {
      // Whether there is one already is not for who would not see it.
      throw new SwarmlensError('FORBIDDEN', 'The token does not see a server of that name.');
    }
    return viewer;
  }

  #admit(viewer: Viewer, request: IncomingMessage, duplex: Duplex, head: Buffer): void {
    if (duplex.destroyed) return;
    const { name, instance } = askedBy(request);
    this.#sockets.handleUpgrade(request, duplex, head, (socket) => {
      socket.on('error', (error) =>
        this.#options.logger.debug({ serverId: name, error: error.message }, 'error of a tap'),
      );
      const watch = this.#options.authenticator.watch(viewer, (reason) => socket.close(FORBIDDEN, reason));
      socket.once('close', () => watch[Symbol.dispose]());
      this.#options.join({ name, instance, socket });
    });
  }

  #reasonOf(error: unknown, name: string): string {
    if (error instanceof SwarmlensError) return error.message;
    this.#options.logger.error({ serverId: name, error: errorMessage(error) }, 'a tap could not be authenticated');
    return 'internal server error';
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets.clients) {
      // What says that we leave is handed to the system at once.
      socket.close(GOING_AWAY);
      socket.terminate();
    }
    await new Promise<void>((resolve) => this.#sockets.close(() => resolve()));
  }
}

/** The server that a tap says it stands before, and which of its taps it is. */
function askedBy(request: IncomingMessage): { readonly name: string; readonly instance: string } {
  const { searchParams } = new URL(request.url ?? '/', 'http://localhost');
  return { name: searchParams.get('server') ?? '', instance: searchParams.get('instance') ?? '' };
}

/** Why a request is none of a tap; `null`: it is one, if it shows a token where there are any. */
function whyNoTap(request: IncomingMessage, door: OriginPolicy): RequestRejection | null {
  const { headers } = request;
  if (headers.origin !== undefined || headers['sec-fetch-site'] !== undefined) {
    return { status: 403, reason: 'no web page is a tap' };
  }
  return checkRequest(request, door);
}

function statusOf(error: unknown): 401 | 403 | 503 {
  if (!(error instanceof SwarmlensError)) return 503;
  return error.code === 'UNAUTHENTICATED' ? 401 : error.code === 'FORBIDDEN' ? 403 : 503;
}
