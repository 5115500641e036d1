import {
  Client,
  type ConnectOptions,
  type McpSubscription,
  SdkError,
  type SubscriptionFilter,
  type Transport,
} from '@modelcontextprotocol/client';
import type { z } from 'zod';
import type { GuardedSignal } from './call-guard.js';
import type { ProtocolEra } from './endpoint-memory.js';
import { ToolRejectedError } from './errors.js';

/**
 * Timeout given to the official client, which never expires. Its timers do not know whether this process was stalled, so
 * the session keeps the deadlines itself.
 */
const NO_TIMEOUT = 2 ** 31 - 1;

export interface GuardedClientHandlers {
  readonly onClose: () => void;
  readonly onError: (error: Error) => void;
  readonly onToolsChanged: () => void;
  readonly onNotification: (method: string, params: unknown) => void;
}

/** Official MCP client, whose requests are possible inside a guard only. No other module uses the official client. */
export class GuardedClient {
  readonly #client = new Client(
    { name: 'swarmlens', version: '1' },
    { capabilities: {}, versionNegotiation: { mode: 'auto' }, inputRequired: { autoFulfill: false } },
  );

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

  /** Era of the negotiated protocol version. Null before the handshake. */
  get era(): ProtocolEra | null {
    const era = this.#client.getProtocolEra();
    return era === undefined ? null : era === 'modern' ? 'MODERN' : 'LEGACY';
  }

  /**
   * Opens the transport and performs the handshake.
   * @param negotiates whether `server/discover` is sent before `initialize`
   */
  connect(transport: Transport, signal: GuardedSignal, negotiates: boolean): Promise<void> {
    const options: ConnectOptions = {
      signal,
      timeout: NO_TIMEOUT,
      ...(negotiates ? {} : { prior: { kind: 'legacy' } }),
    };
    return this.#client.connect(transport, options).catch((error: unknown) => {
      // The negotiation hides the pause that the server requests.
      throw error instanceof SdkError && error.cause instanceof ToolRejectedError ? error.cause : error;
    });
  }

  /**
   * Subscribes to changes. Servers of the era MODERN only.
   * @param signal ends the subscription
   */
  listen(filter: SubscriptionFilter, signal: GuardedSignal): Promise<McpSubscription> {
    return this.#client.listen(filter, { signal, timeout: NO_TIMEOUT });
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
