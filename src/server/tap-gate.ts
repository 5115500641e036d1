import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Logger } from '../telemetry/index.js';
import { isLoopbackHost } from './origin.js';
import { refuseUpgrade } from './refuse-upgrade.js';

/** Of one message of a tap's: what its server has answered. */
const MAX_MESSAGE_BYTES = 10 * 1024 * 1024 + 64 * 1024;
const GOING_AWAY = 1001;

export interface TapGateOptions {
  /** Takes a tap in, or closes its socket saying why not. */
  readonly join: (tap: { readonly name: string; readonly instance: string; readonly socket: WebSocket }) => void;
  readonly logger: Logger;
}

/** Where taps join. */
export class TapGate implements AsyncDisposable {
  readonly #sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_MESSAGE_BYTES, perMessageDeflate: false });
  readonly #options: TapGateOptions;

  constructor(options: TapGateOptions) {
    this.#options = options;
  }

  upgrade(request: IncomingMessage, duplex: Duplex, head: Buffer): void {
    const refusal = refusalOf(request);
    if (refusal !== null) {
      refuseUpgrade(duplex, '403 Forbidden', refusal);
      return;
    }
    const { searchParams } = new URL(request.url ?? '/', 'http://localhost');
    const name = searchParams.get('server') ?? '';
    const instance = searchParams.get('instance') ?? '';
    this.#sockets.handleUpgrade(request, duplex, head, (socket) => {
      socket.on('error', (error) => this.#options.logger.debug({ error: error.message }, 'error of a tap'));
      this.#options.join({ name, instance, socket });
    });
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

/**
 * Why a request is none of a tap; `null`: it is one. A tap may carry a token, as `Authorization: Bearer`: here is the place
 * to look at it, once there are any.
 */
function refusalOf(request: IncomingMessage): string | null {
  if (!isLoopbackHost(request)) return 'this server is reached as localhost or 127.0.0.1';
  const { headers } = request;
  return headers.origin !== undefined || headers['sec-fetch-site'] !== undefined ? 'no web page is a tap' : null;
}
