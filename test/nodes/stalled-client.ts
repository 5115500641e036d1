import { once } from 'node:events';
import type { Redis } from 'ioredis';
import { WebSocket } from 'ws';
import { AGENT_UPDATES, request } from '../support/app.js';

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
    for (;;) {
      const { data } = await request({ url: this.#url }, '{ health { connections { slow } } }');
      if ((data?.['health'] as { connections: { slow: number } }).connections.slow > 0) return; // as selected
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#socket, 'close');
    this.#socket.resume();
    this.#socket.terminate();
    await closed;
  }
}

/** What Redis has sent to all since it began, and what waits in it now for those that have subscribed. */
export async function redisTraffic(
  look: Redis,
): Promise<{ readonly sentBytes: number; readonly waitingBytes: number }> {
  const [stats, clients] = await Promise.all([look.info('stats'), look.client('LIST')]);
  const waiting = [...String(clients).matchAll(/ psub=[1-9].* omem=(\d+) /g)].map(([, bytes]) => Number(bytes));
  if (waiting.length === 0) throw new Error('nobody has subscribed');
  return {
    sentBytes: Number(/total_net_output_bytes:(\d+)/.exec(stats)?.[1]),
    waitingBytes: waiting.reduce((sum, bytes) => sum + bytes, 0),
  };
}
