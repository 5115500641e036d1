import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { Member } from '../delivery/index.js';
import type { Outlet } from './outlet.js';
import { MessagePrefix, type SharedMessage } from './shared-message.js';
import type { SharedSubscription } from './sharing.js';

/** One socket. */
export interface Client {
  readonly socket: WebSocket;
  /** What the socket's frames are written to. */
  readonly stream: Duplex;
  readonly outlet: Outlet;
  readonly mayDeflate: boolean;
}

/** A subscription over a WebSocket as a member of a group; to graphql-ws an iterator that yields nothing and ends when it is left. */
export class SocketMember implements Member<SharedMessage>, AsyncIterableIterator<never> {
  readonly after: Member<SharedMessage>['after'];
  readonly #client: Client;
  readonly #prefix: MessagePrefix;
  readonly #seat: Disposable;
  readonly #room: Disposable;
  #end: ((result: typeof END) => void) | null = null;
  #ended = false;

  constructor(shared: SharedSubscription, id: string, client: Client) {
    this.after = shared.after;
    this.#client = client;
    this.#prefix = new MessagePrefix(id);
    const seat = shared.join(this);
    this.#seat = seat;
    this.#room = client.outlet.onRoom(() => seat.ready());
  }

  hasRoom(): boolean {
    return this.#client.outlet.hasRoom();
  }

  deliver(message: SharedMessage): void {
    const { socket, stream, outlet, mayDeflate } = this.#client;
    if (socket.readyState === socket.OPEN) outlet.sent(message.writeTo(stream, this.#prefix, mayDeflate));
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
