import type { GroupMember } from '../../delivery/index.js';
import type { Connection } from './connection.js';
import { MessagePrefix, type SharedMessage } from '../sharing/shared-message.js';
import type { SharedSubscription } from '../sharing/shared-subscriptions.js';

/** WebSocket of one client with everything that is needed to write frames to it. */
export interface SocketClient {
  readonly connection: Connection;
  /** Whether the client can decompress shared messages. */
  readonly acceptsSharedDeflate: boolean;
}

/**
 * Shared subscription on a WebSocket, as member of its subscription group. The group writes the messages; graphql-ws
 * gets an iterator that yields nothing and ends when the client completes the subscription.
 */
export class SocketSubscription implements GroupMember<SharedMessage>, AsyncIterableIterator<never> {
  readonly after: GroupMember<SharedMessage>['after'];
  readonly #client: SocketClient;
  readonly #prefix: MessagePrefix;
  readonly #membership: Disposable;
  readonly #drainListener: Disposable;
  #finish: ((result: typeof DONE) => void) | null = null;
  #isDone = false;

  constructor(shared: SharedSubscription, id: string, client: SocketClient) {
    this.after = shared.after;
    this.#client = client;
    this.#prefix = new MessagePrefix(id);
    const membership = shared.join(this);
    this.#membership = membership;
    this.#drainListener = client.connection.sendBuffer.onDrain(() => membership.notifyReady());
  }

  canReceive(): boolean {
    return this.#client.connection.sendBuffer.canSend();
  }

  deliver(message: SharedMessage): void {
    const { connection, acceptsSharedDeflate } = this.#client;
    if (!connection.isOpen) return;
    connection.sendBuffer.recordSent(message.writeTo(connection.stream, this.#prefix, acceptsSharedDeflate));
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<typeof DONE> {
    return this.#isDone ? Promise.resolve(DONE) : new Promise((resolve) => (this.#finish = resolve));
  }

  return(): Promise<typeof DONE> {
    this.#isDone = true;
    this.#membership[Symbol.dispose]();
    this.#drainListener[Symbol.dispose]();
    this.#finish?.(DONE);
    this.#finish = null;
    return Promise.resolve(DONE);
  }
}

const DONE = { done: true, value: undefined } as const;
