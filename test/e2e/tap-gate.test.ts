import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import type { App } from '../../src/app.js';
import { request, serverConfig, SocketClient, startApp } from '../support/app.js';

/** Longer than any test: a poll brings nothing. */
const LAZY = { heartbeatMs: 600_000 };

/** Joins as a tap does. */
class Joined implements Disposable {
  readonly socket: WebSocket;
  /** It was taken in: swarmlens has greeted it. */
  readonly greeted: Promise<unknown>;
  readonly closed: Promise<{ code: number; reason: string }>;

  constructor(app: App, query: string, headers: Record<string, string> = {}) {
    this.socket = new WebSocket(`${app.url.replace('http', 'ws')}/tap?${query}`, { headers });
    this.greeted = once(this.socket, 'message');
    this.closed = new Promise((resolve) =>
      this.socket.once('close', (code, reason) => resolve({ code, reason: reason.toString() })),
    );
    this.greeted.catch(() => undefined);
  }

  [Symbol.dispose](): void {
    this.socket.terminate();
  }
}

async function ids(app: App): Promise<unknown[]> {
  const { data } = await request(app, '{ servers { id } }');
  return (data?.['servers'] as { id: string }[]).map(({ id }) => id).sort(); // as selected
}

describe('the gate for taps', () => {
  test('numbers taps of one name, and gives each its own again', async () => {
    await using app = await startApp([], LAZY);
    using first = new Joined(app, 'server=a&instance=1');
    await first.greeted;
    using second = new Joined(app, 'server=a&instance=2');
    await second.greeted;
    expect(await ids(app)).toEqual(['a', 'a-2']);
    // The same tap again, before its old connection is known to be gone.
    using again = new Joined(app, 'server=a&instance=2');
    await Promise.all([again.greeted, second.closed]);
    expect(await ids(app)).toEqual(['a', 'a-2']);
    // Another one, where the first has gone.
    first.socket.close();
    await first.closed;
    using third = new Joined(app, 'server=a&instance=3');
    await third.greeted;
    expect(await ids(app)).toEqual(['a', 'a-2']);
    using fourth = new Joined(app, 'server=a&instance=4');
    await fourth.greeted;
    expect(await ids(app)).toEqual(['a', 'a-2', 'a-3']);
  });

  test('refuses the name of a configured server: the tap is told, and so are people', async () => {
    const configured = serverConfig('taken', ['-e', 'process.exit()']);
    await using app = await startApp([configured], LAZY);
    await using client = new SocketClient(app);
    using notices = client.subscribe<{ notices: { code: string; message: string } }>(
      'subscription { notices { code message } }',
    );
    using ready = client.watchAgents();
    await ready.until(({ length }) => length > 0);
    using refused = new Joined(app, 'server=taken&instance=1');
    const reason = 'the configuration of swarmlens has a server of this name';
    expect(await refused.closed).toEqual({ code: 4409, reason });
    const all = await notices.until((seen) => seen.some(({ notices: { code: is } }) => is === 'TAP_REFUSED'));
    expect(JSON.stringify(all)).toContain('give it another --server');
    expect(await ids(app)).toEqual(['taken']);
  });

  test.each(['server=a%3Ab&instance=1', 'server=&instance=1', 'server=a', `server=a&instance=${'x'.repeat(65)}`])(
    'refuses what is no tap: %s',
    async (query) => {
      await using app = await startApp([], LAZY);
      using refused = new Joined(app, query);
      expect(await refused.closed).toMatchObject({ code: 4400 });
      expect(await ids(app)).toEqual([]);
    },
  );

  test.each<[string, Record<string, string>]>([
    ['a page of its own origin', { origin: 'http://127.0.0.1:4000' }],
    ['a foreign page', { origin: 'http://example.org' }],
    ['another host name', { host: 'example.org' }],
  ])('refuses %s', async (_who, headers) => {
    await using app = await startApp([], LAZY);
    using refused = new Joined(app, 'server=a&instance=1', headers);
    await expect(refused.greeted).rejects.toThrow(/403/);
  });
});
