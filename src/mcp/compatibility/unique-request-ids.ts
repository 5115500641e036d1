import { randomBytes } from 'node:crypto';
import type { JSONRPCMessage, Transport } from '@modelcontextprotocol/client';
import { toPrintableLine } from '../../shared/sanitize/index.js';
import { TransportDecorator } from './transport-decorator.js';

/** Of what a server said that was meant for nobody. */
const MAX_LENGTH = 200;

type Id = string | number;
type Received = Parameters<NonNullable<Transport['onmessage']>>;

/**
 * Gives requests ids that no other client has: some bridges hand an answer to whichever of their clients has used its
 * id, and the official client numbers its requests from 0. Answers to requests of others, to none, and to one that has
 * been answered or given up are told as noise.
 */
export class UniqueIdTransport extends TransportDecorator {
  readonly #prefix = `swarmlens-${randomBytes(12).toString('base64url')}-`;
  /** Requests under way: the client's ids by ours. */
  readonly #inFlight = new Map<string, Id>();
  #lastError: string | null = null;

  /** An error without an id that came after the last answer, in one line: how servers refuse somebody and hang up. */
  get lastError(): string | null {
    return this.#lastError;
  }

  override async send(message: JSONRPCMessage, options?: Parameters<Transport['send']>[1]): Promise<void> {
    if (!('method' in message)) {
      await super.send(message, options);
    } else if ('id' in message) {
      const id = this.#ours(message.id);
      this.#inFlight.set(id, message.id);
      try {
        await super.send({ ...message, id, ...this.#withProgressToken(message.params) }, options);
      } catch (error) {
        this.#inFlight.delete(id);
        throw error;
      }
    } else if (message.method === 'notifications/cancelled' && isId(message.params?.['requestId'])) {
      const requestId = this.#ours(message.params['requestId']);
      this.#inFlight.delete(requestId);
      await super.send({ ...message, params: { ...message.params, requestId } }, options);
    } else await super.send(message, options);
  }

  protected override received(message: JSONRPCMessage, extra: Received[1]): void {
    if (!('method' in message)) this.#answered(message, extra);
    else if (message.method === 'notifications/progress') {
      const progressToken = this.#inFlight.get(String(message.params?.['progressToken']));
      if (progressToken === undefined) this.#noise('progress of no request of ours', message);
      else super.received({ ...message, params: { ...message.params, progressToken } }, extra);
    } else super.received(message, extra);
  }

  #answered(message: Exclude<JSONRPCMessage, { method: string }>, extra: Received[1]): void {
    const { id } = message;
    const original = typeof id === 'string' ? this.#inFlight.get(id) : undefined;
    if (typeof id === 'string' && original !== undefined) {
      this.#inFlight.delete(id);
      this.#lastError = null;
      super.received({ ...message, id: original }, extra);
      return;
    }
    if (id === undefined && 'error' in message) this.#lastError = toPrintableLine(message.error.message, MAX_LENGTH);
    this.#noise('an answer to no request of ours', message);
  }

  #noise(what: string, message: JSONRPCMessage): void {
    this.onerror?.(new Error(`${what}: ${JSON.stringify(message)}`));
  }

  #ours(id: Id): string {
    return `${this.#prefix}${id}`;
  }

  /** The official client takes the number of the request for it. */
  #withProgressToken(params: Params): { params?: NonNullable<Params> } {
    const token = params?._meta?.progressToken;
    if (params === undefined || token === undefined) return {};
    return { params: { ...params, _meta: { ...params._meta, progressToken: this.#ours(token) } } };
  }
}

type Params = Extract<JSONRPCMessage, { method: string; id: Id }>['params'];

function isId(value: unknown): value is Id {
  return typeof value === 'string' || typeof value === 'number';
}
