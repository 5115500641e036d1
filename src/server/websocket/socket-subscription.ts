import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { GroupMember } from '../../delivery/index.js';
import type { SendBuffer } from './send-buffer.js';
import { MessagePrefix, type SharedMessage } from '../sharing/shared-message.js';
import type { SharedSubscription } from '../sharing/shared-subscriptions.js';

/** One socket. */
export interface SocketClient {
  readonly socket: WebSocket;
  /** What the socket's frames are written to. */
  readonly stream: Duplex;
  readonly sendBuffer: SendBuffer;
  readonly mayDeflate: boolean;
}

/** A subscription over a WebSocket as a member of a group; to graphql-ws an iterator that yields nothing and ends when it is left. */
export class SocketSubscription implements GroupMember<SharedMessage>, AsyncIterableIterator<never> {
  readonly after: GroupMember<SharedMessage>['after'];
  readonly #client: SocketClient;
  readonly #prefix: MessagePrefix;
  readonly #seat: Disposable;
  readonly #room: Disposable;
  #end: ((result: typeof END) => void) | null = null;
  #ended = false;

  constructor(shared: SharedSubscription, id: string, client: SocketClient) {
    this.after = shared.after;
    this.#client = client;
    this.#prefix = new MessagePrefix(id);
    const seat = shared.join(this);
    this.#seat = seat;
    this.#room = client.sendBuffer.onDrain(() => seat.notifyReady());
  }

  canReceive(): boolean {
    return this.#client.sendBuffer.canSend();
  }

  deliver(message: SharedMessage): void {
    const { socket, stream, sendBuffer, mayDeflate } = this.#client;
    if (socket.readyState === socket.OPEN) sendBuffer.recordSent(message.writeTo(stream, this.#prefix, mayDeflate));
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<typeof END> {
    return this.#ended ? Promise.resolve(END) : new Promise((resolve) => (this.#end = resolve));
  }

  return(): Promise<typeof END> {
    this.#ended = true;
    this.#seat[Symbol.dispose]();
    this.#room[Symbol.dispose]();
    this.#end?.(END);
    this.#end = null;
    return Promise.resolve(END);
  }
}

const END = { done: true, value: undefined } as const;
