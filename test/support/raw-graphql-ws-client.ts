import { once } from 'node:events';
import { WebSocket } from 'ws';
import { ChangeNotifier } from './wait.js';

export interface Message {
  readonly id?: string;
  readonly type: string;
  readonly payload?: unknown;
}

/** A `graphql-transport-ws` client that shows every message and how it ended, and may send anything. */
export class BareSocket implements AsyncDisposable {
  readonly socket: WebSocket;
  readonly messages: Message[] = [];
  /** How the server closed it. */
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  readonly #changes = new ChangeNotifier();
  #end: string | null = null;

  protected constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (data: Buffer) => {
      this.messages.push(JSON.parse(data.toString()) as Message); // of the protocol
      this.#changes.notify();
    });
    this.closed = new Promise((resolve) => {
      socket.on('close', (code, reason) => {
        resolve({ code, reason: reason.toString() });
        this.#end = `closed with ${code} ${reason.toString()}`;
        this.#changes.notify();
      });
    });
    socket.on('error', () => undefined);
  }

  /** Has sent `connection_init`. @param header `Authorization` of the upgrade */
  static async open(
    { socketUrl }: { readonly socketUrl: string },
    payload: Record<string, unknown> | null,
    header: string | null = null,
  ): Promise<BareSocket> {
    const headers = header === null ? {} : { authorization: header };
    const socket = new WebSocket(socketUrl, 'graphql-transport-ws', { headers });
    const made = new BareSocket(socket);
    await once(socket, 'open');
    made.send({ type: 'connection_init', ...(payload !== null && { payload }) });
    return made;
  }

  /** The same, and has been let in. */
  static async withToken(server: { readonly socketUrl: string }, token: string): Promise<BareSocket> {
    const made = await BareSocket.open(server, { authorization: `Bearer ${token}` });
    await made.until(({ messages }) => messages.some(({ type }) => type === 'connection_ack'));
    return made;
  }

  send(message: unknown): void {
    this.socket.send(JSON.stringify(message));
  }

  run(id: string, query: string, variables: object = {}): void {
    this.send({ id, type: 'subscribe', payload: { query, variables } });
  }

  /** Payloads of what an operation was told. */
  of(id: string): readonly unknown[] {
    return this.messages.filter((message) => message.id === id).map(({ payload }) => payload);
  }

  /** Resolves once `isReached` returns true, checked after each message; rejects when the socket is closed. */
  async until(isReached: (socket: this) => boolean): Promise<void> {
    await this.#changes.until(() => isReached(this), {
      state: () => ({ messages: this.messages.length, last: this.messages.at(-1) }),
      failure: () => this.#end,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.resume();
    this.socket.terminate();
    await this.closed;
  }
}
