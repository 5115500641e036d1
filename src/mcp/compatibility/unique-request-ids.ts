import { randomBytes } from 'node:crypto';
import { type JSONRPCMessage, SUBSCRIPTION_ID_META_KEY, type Transport } from '@modelcontextprotocol/client';
import { toPrintableLine } from '../../shared/sanitize/index.js';
import { TransportDecorator } from './transport-decorator.js';

/** Longest error message that is kept for diagnostics, in UTF-16 units. */
const MAX_MESSAGE_LENGTH = 200;

type Id = string | number;
type Received = Parameters<NonNullable<Transport['onmessage']>>;

/**
 * Replaces request ids with ids that no other client uses. Some bridges route a response to any client that has used its
 * id, and the official client numbers its requests from 0. Responses without a matching open request are reported as
 * errors.
 */
export class UniqueIdTransport extends TransportDecorator {
  readonly #prefix = `swarmlens-${randomBytes(12).toString('base64url')}-`;
  /** Ids of the official client by unique id, for all open requests. */
  readonly #inFlight = new Map<string, Id>();
  #lastError: string | null = null;

  /**
   * Message of the last error without an id since the last response, in one line. Servers send such an error before they
   * close a connection that they reject.
   */
  get lastError(): string | null {
    return this.#lastError;
  }

  override async send(message: JSONRPCMessage, options?: Parameters<Transport['send']>[1]): Promise<void> {
    if (!('method' in message)) {
      await super.send(message, options);
    } else if ('id' in message) {
      const id = this.#toUniqueId(message.id);
      this.#inFlight.set(id, message.id);
      try {
        await super.send({ ...message, id, ...this.#withProgressToken(message.params) }, options);
      } catch (error) {
        this.#inFlight.delete(id);
        throw error;
      }
    } else if (message.method === 'notifications/cancelled' && isId(message.params?.['requestId'])) {
      const requestId = this.#toUniqueId(message.params['requestId']);
      this.#inFlight.delete(requestId);
      await super.send({ ...message, params: { ...message.params, requestId } }, options);
    } else await super.send(message, options);
  }

  protected override received(message: JSONRPCMessage, extra: Received[1]): void {
    if (!('method' in message)) this.#responded(message, extra);
    else if (message.method === 'notifications/progress') {
      const progressToken = this.#inFlight.get(String(message.params?.['progressToken']));
      if (progressToken === undefined) this.#reportUnexpected('progress of an unknown request', message);
      else super.received({ ...message, params: { ...message.params, progressToken } }, extra);
    } else super.received(this.#withOriginalIds(message), extra);
  }

  /**
   * Restores the ids of requests in a notification of an open subscription, whose id is that of its request. A cancellation by
   * the server ends the subscription.
   */
  #withOriginalIds<T extends Extract<JSONRPCMessage, { method: string }>>(message: T): T {
    const { method, params } = message;
    const requestId = params?.['requestId'];
    if (method === 'notifications/cancelled' && typeof requestId === 'string') {
      const original = this.#inFlight.get(requestId);
      if (original === undefined) return message;
      this.#inFlight.delete(requestId);
      return { ...message, params: { ...params, requestId: original } };
    }
    const subscriptionId = params?._meta?.[SUBSCRIPTION_ID_META_KEY];
    const original = typeof subscriptionId === 'string' ? this.#inFlight.get(subscriptionId) : undefined;
    if (original === undefined) return message;
    return { ...message, params: { ...params, _meta: { ...params?._meta, [SUBSCRIPTION_ID_META_KEY]: original } } };
  }

  #responded(message: Exclude<JSONRPCMessage, { method: string }>, extra: Received[1]): void {
    const { id } = message;
    const original = typeof id === 'string' ? this.#inFlight.get(id) : undefined;
    if (typeof id === 'string' && original !== undefined) {
      this.#inFlight.delete(id);
      this.#lastError = null;
      super.received({ ...message, id: original }, extra);
      return;
    }
    if (id === undefined && 'error' in message)
      this.#lastError = toPrintableLine(message.error.message, MAX_MESSAGE_LENGTH);
    this.#reportUnexpected('response to an unknown request', message);
  }

  #reportUnexpected(description: string, message: JSONRPCMessage): void {
    this.onerror?.(new Error(`${description}: ${JSON.stringify(message)}`));
  }

  #toUniqueId(id: Id): string {
    return `${this.#prefix}${id}`;
  }

  /** Replaces the progress token, for which the official client uses the request id. */
  #withProgressToken(params: Params): { params?: NonNullable<Params> } {
    const token = params?._meta?.progressToken;
    if (params === undefined || token === undefined) return {};
    return { params: { ...params, _meta: { ...params._meta, progressToken: this.#toUniqueId(token) } } };
  }
}

type Params = Extract<JSONRPCMessage, { method: string; id: Id }>['params'];

function isId(value: unknown): value is Id {
  return typeof value === 'string' || typeof value === 'number';
}
