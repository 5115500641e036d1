import { Client, type Transport } from '@modelcontextprotocol/client';
import type { z } from 'zod';
import type { GuardedSignal } from './call-guard.js';

/**
 * Timeout given to the official client, which never expires. Its timers do not know whether this process was stalled, so
 * the session keeps the deadlines itself.
 */
const NO_TIMEOUT = 2 ** 31 - 1;

export interface GuardedClientHandlers {
  readonly onClose: () => void;
  readonly onError: (error: Error) => void;
  readonly onToolsChanged: () => Promise<void>;
  readonly onNotification: (method: string, params: unknown) => void;
}

/** Official MCP client, whose requests are possible inside a guard only. No other module uses the official client. */
export class GuardedClient {
  // Version negotiation is off: it would start a second child process.
  readonly #client = new Client({ name: 'swarmlens', version: '1' }, { capabilities: {} });

  constructor({ onClose, onError, onToolsChanged, onNotification }: GuardedClientHandlers) {
    this.#client.onclose = onClose;
    this.#client.onerror = onError;
    this.#client.setNotificationHandler('notifications/tools/list_changed', onToolsChanged);
    this.#client.fallbackNotificationHandler = ({ method, params }) => {
      onNotification(method, params);
      return Promise.resolve();
    };
  }

  /** Name and version of the server. Undefined before the handshake. */
  get server(): { readonly name?: string; readonly version?: string } | undefined {
    return this.#client.getServerVersion();
  }

  get capabilities(): ReturnType<Client['getServerCapabilities']> {
    return this.#client.getServerCapabilities();
  }

  /** Opens the transport and performs the handshake. */
  connect(transport: Transport, signal: GuardedSignal): Promise<void> {
    return this.#client.connect(transport, { signal, timeout: NO_TIMEOUT });
  }

  request<T>(
    request: { readonly method: string; readonly params?: Record<string, unknown> },
    schema: z.ZodType<T>,
    signal: GuardedSignal,
  ): Promise<T> {
    return this.#client.request(request, schema, { signal, timeout: NO_TIMEOUT });
  }

  close(): Promise<void> {
    return this.#client.close();
  }
}
