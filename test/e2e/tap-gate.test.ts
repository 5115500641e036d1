import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import type { App } from '../../src/app/create-app.js';
import { request, serverConfig, SocketClient, startApp } from '../support/app.js';

/** Heartbeat that is longer than any test, so that no poll brings an update. */
const LAZY = { heartbeatMs: 600_000 };

/** WebSocket that connects as a tap does. */
class TapSocket implements Disposable {
  readonly socket: WebSocket;
  /** Resolves when swarmlens has accepted the tap and sent its first message. */
  readonly accepted: Promise<unknown>;
  readonly closed: Promise<{ code: number; reason: string }>;

  constructor(app: App, query: string, headers: Record<string, string> = {}) {
    this.socket = new WebSocket(`${app.url.replace('http', 'ws')}/tap?${query}`, { headers });
    this.accepted = once(this.socket, 'message');
    this.closed = new Promise((resolve) =>
      this.socket.once('close', (code, reason) => resolve({ code, reason: reason.toString() })),
    );
    this.accepted.catch(() => undefined);
  }

  [Symbol.dispose](): void {
    this.socket.terminate();
  }
}

async function ids(app: App): Promise<unknown[]> {
  const { data } = await request(app, '{ servers { id } }');
  return (data?.['servers'] as { id: string }[]).map(({ id }) => id).sort(); // as selected
}

describe('GET /tap', () => {
  test('numbers taps of one name and gives a tap its previous number when it reconnects', async () => {
    await using app = await startApp([], LAZY);
    using first = new TapSocket(app, 'server=a&instance=1');
    await first.accepted;
    using second = new TapSocket(app, 'server=a&instance=2');
    await second.accepted;
    expect(await ids(app)).toEqual(['a', 'a-2']);
    // The same tap reconnects before the server notices that its old connection is lost.
    using again = new TapSocket(app, 'server=a&instance=2');
    await Promise.all([again.accepted, second.closed]);
    expect(await ids(app)).toEqual(['a', 'a-2']);
    // Another tap takes the number of the first one, which has left.
    first.socket.close();
    await first.closed;
    using third = new TapSocket(app, 'server=a&instance=3');
    await third.accepted;
    expect(await ids(app)).toEqual(['a', 'a-2']);
    using fourth = new TapSocket(app, 'server=a&instance=4');
    await fourth.accepted;
    expect(await ids(app)).toEqual(['a', 'a-2', 'a-3']);
  });

  test('rejects a tap with the name of a configured server and publishes TAP_REFUSED', async () => {
    const configured = serverConfig('taken', ['-e', 'process.exit()']);
    await using app = await startApp([configured], LAZY);
    await using client = new SocketClient(app);
    using notices = client.subscribe<{ notices: { code: string; message: string } }>(
      'subscription { notices { code message } }',
    );
    using ready = client.watchAgents();
    await ready.until(({ length }) => length > 0);
    using refused = new TapSocket(app, 'server=taken&instance=1');
    const reason = 'the configuration of swarmlens contains a server of this name';
    expect(await refused.closed).toEqual({ code: 4409, reason });
    const all = await notices.until((seen) => seen.some(({ notices: { code: is } }) => is === 'TAP_REFUSED'));
    expect(JSON.stringify(all)).toContain('Choose another --server');
    expect(await ids(app)).toEqual(['taken']);
  });

  test.each(['server=a%3Ab&instance=1', 'server=&instance=1', 'server=a', `server=a&instance=${'x'.repeat(65)}`])(
    'rejects the invalid query %s',
    async (query) => {
      await using app = await startApp([], LAZY);
      using refused = new TapSocket(app, query);
      expect(await refused.closed).toMatchObject({ code: 4400 });
      expect(await ids(app)).toEqual([]);
    },
  );

  test.each<[string, Record<string, string>]>([
    ['a page of the same origin', { origin: 'http://127.0.0.1:4000' }],
    ['a foreign page', { origin: 'http://example.org' }],
    ['another host name', { host: 'example.org' }],
  ])('rejects %s', async (_name, headers) => {
    await using app = await startApp([], LAZY);
    using refused = new TapSocket(app, 'server=a&instance=1', headers);
    await expect(refused.accepted).rejects.toThrow(/403/);
  });
});
