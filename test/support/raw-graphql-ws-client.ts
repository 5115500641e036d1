import { once } from 'node:events';
import { WebSocket } from 'ws';
import { ChangeNotifier } from './wait.js';

export interface Message {
  readonly id?: string;
  readonly type: string;
  readonly payload?: unknown;
}

/** Client of `graphql-transport-ws` that records every message and the close event, and sends any message. */
export class RawGraphqlWsClient implements AsyncDisposable {
  readonly socket: WebSocket;
  readonly messages: Message[] = [];
  /** Resolves with close code and reason when the socket is closed. */
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  readonly #changes = new ChangeNotifier();
  #end: string | null = null;

  protected constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (data: Buffer) => {
      this.messages.push(JSON.parse(data.toString()) as Message); // messages of the protocol
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

  /**
   * Opens a socket and sends `connection_init`.
   * @param payload of `connection_init`; null to leave it out
   * @param header `Authorization` of the upgrade request; null to leave it out
   */
  static async open(
    { socketUrl }: { readonly socketUrl: string },
    payload: Record<string, unknown> | null,
    header: string | null = null,
  ): Promise<RawGraphqlWsClient> {
    const headers = header === null ? {} : { authorization: header };
    const socket = new WebSocket(socketUrl, 'graphql-transport-ws', { headers });
    const client = new RawGraphqlWsClient(socket);
    await once(socket, 'open');
    client.send({ type: 'connection_init', ...(payload !== null && { payload }) });
    return client;
  }

  /** Opens a socket with a token and resolves when the server has acknowledged the connection. */
  static async withToken(server: { readonly socketUrl: string }, token: string): Promise<RawGraphqlWsClient> {
    const client = await RawGraphqlWsClient.open(server, { authorization: `Bearer ${token}` });
    await client.until(({ messages }) => messages.some(({ type }) => type === 'connection_ack'));
    return client;
  }

  send(message: unknown): void {
    this.socket.send(JSON.stringify(message));
  }

  run(id: string, query: string, variables: object = {}): void {
    this.send({ id, type: 'subscribe', payload: { query, variables } });
  }

  /** Returns the payloads of all messages of an operation. */
  of(id: string): readonly unknown[] {
    return this.messages.filter((message) => message.id === id).map(({ payload }) => payload);
  }

  /** Resolves once `isReached` returns true, checked after each message; rejects when the socket is closed. */
  async until(isReached: (client: this) => boolean): Promise<void> {
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
