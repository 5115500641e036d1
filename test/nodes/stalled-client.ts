import { once } from 'node:events';
import type { Redis } from 'ioredis';
import { WebSocket } from 'ws';
import { AGENT_UPDATES, request } from '../support/app.js';
import { waitUntil } from '../support/wait.js';

/** A subscriber at 60 Hz that stops reading after its first update. */
export class StalledClient implements AsyncDisposable {
  readonly #socket: WebSocket;
  readonly #url: string;

  private constructor(url: string, socket: WebSocket) {
    this.#url = url;
    this.#socket = socket;
  }

  static async join(url: string): Promise<StalledClient> {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
    await once(socket, 'open');
    socket.send('{"type":"connection_init"}');
    await once(socket, 'message');
    const payload = { query: AGENT_UPDATES, variables: { mode: 'HIGH_FREQUENCY' } };
    socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload }));
    await once(socket, 'message');
    socket.pause();
    return new StalledClient(url, socket);
  }

  /** Resolves when its node has noticed, and keeps what there is for it back. */
  async isStalled(): Promise<void> {
    let slow = 0;
    const isSlow = async (): Promise<boolean> => {
      const { data } = await request({ url: this.#url }, '{ health { connections { slow } } }');
      ({ slow } = (data?.['health'] as { connections: { slow: number } }).connections); // as selected
      return slow > 0;
    };
    await waitUntil(isSlow, {
      state: () => ({ slow }),
      failure: () => (this.#socket.readyState === WebSocket.CLOSED ? 'the socket is closed' : null),
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#socket, 'close');
    this.#socket.resume();
    this.#socket.terminate();
    await closed;
  }
}

/** What goes over the channels of a Redis, and what of it waits there for a node. */
export class Traffic implements Disposable {
  /** Of all messages since it began to listen. */
  bytes = 0;
  readonly #look: Redis;
  readonly #listener: Redis;

  private constructor(look: Redis) {
    this.#look = look;
    this.#listener = look.duplicate({ connectionName: 'traffic' });
    this.#listener.on('pmessage', (_pattern, _channel, message: string) => (this.bytes += message.length));
  }

  static async open(look: Redis): Promise<Traffic> {
    const traffic = new Traffic(look);
    await traffic.#listener.psubscribe('swarmlens:*');
    return traffic;
  }

  /** Bytes that wait now for the node that has most of them waiting. */
  async waiting(): Promise<number> {
    const clients = String(await this.#look.client('LIST')).split('\n');
    const nodes = clients.filter((line) => / psub=[1-9]/.test(line) && !line.includes('name=traffic'));
    if (nodes.length === 0) throw new Error('no node has subscribed');
    return Math.max(...nodes.map((line) => Number(/ omem=(\d+)/.exec(line)?.[1])));
  }

  [Symbol.dispose](): void {
    this.#listener.disconnect();
  }
}
