import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import type { App } from '../../src/app/create-app.js';
import { TAP_PROTOCOLS } from '../../src/shared/index.js';
import { request, serverConfig, SocketClient, startApp } from '../support/app.js';
import { TapSocket } from '../support/tap-socket.js';
import { TemporaryDirectory } from '../support/temporary-directory.js';

/** Heartbeat that is longer than any test, so that no poll brings an update. */
const LAZY = { heartbeatMs: 600_000 };

async function ids(app: App): Promise<unknown[]> {
  const { data } = await request(app, '{ servers { id } }');
  return (data?.['servers'] as { id: string }[]).map(({ id }) => id).sort(); // as selected
}

describe('GET /tap', () => {
  test('numbers taps of one name and gives a tap its previous number when it reconnects', async () => {
    await using app = await startApp([], LAZY);
    using first = new TapSocket(app, { join: { server: 'a', instance: '1' } });
    await first.accepted();
    using second = new TapSocket(app, { join: { server: 'a', instance: '2' } });
    await second.accepted();
    expect(await ids(app)).toEqual(['a', 'a-2']);
    // The same tap reconnects before the server notices that its old connection is lost.
    using again = new TapSocket(app, { join: { server: 'a', instance: '2' } });
    await Promise.all([again.accepted(), second.closed]);
    expect(await ids(app)).toEqual(['a', 'a-2']);
    // Another tap takes the number of the first one, which has left.
    first.socket.close();
    await first.closed;
    using third = new TapSocket(app, { join: { server: 'a', instance: '3' } });
    await third.accepted();
    expect(await ids(app)).toEqual(['a', 'a-2']);
    using fourth = new TapSocket(app, { join: { server: 'a', instance: '4' } });
    await fourth.accepted();
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
    using refused = new TapSocket(app, { join: { server: 'taken', instance: '1' } });
    const reason = 'the configuration of swarmlens contains a server of this name';
    expect(await refused.closed).toEqual({ code: 4409, reason });
    const all = await notices.until((seen) => seen.some(({ notices: { code: is } }) => is === 'TAP_REFUSED'));
    expect(JSON.stringify(all)).toContain('Choose another --server');
    expect(await ids(app)).toEqual(['taken']);
  });

  test.each<[string, Record<string, unknown>]>([
    ['a name with a colon', { server: 'a:b' }],
    ['an empty name', { server: '' }],
    ['a name that is a number', { server: 7 }],
    ['no instance', { instance: '' }],
    ['a long instance', { instance: 'x'.repeat(65) }],
    ['an allowed tool without a name', { allowTools: [''] }],
    ['257 allowed tools', { allowTools: Array.from({ length: 257 }, () => 'a') }],
  ])('rejects a join message with %s', async (_name, join) => {
    await using app = await startApp([], LAZY);
    using refused = new TapSocket(app, { join });
    expect(await refused.closed).toMatchObject({ code: 4400 });
    expect(await ids(app)).toEqual([]);
  });

  test.each<[string, Record<string, string>]>([
    ['a page of the same origin', { origin: 'http://127.0.0.1:4000' }],
    ['a foreign page', { origin: 'http://example.org' }],
    ['another host name', { host: 'example.org' }],
  ])('rejects %s', async (_name, headers) => {
    await using app = await startApp([], LAZY);
    using refused = new TapSocket(app, { headers });
    await expect(refused.accepted()).rejects.toThrow(/403/);
  });

  test('rejects a tap of an older version, and a tap that sends a token instead of a proof, with the reason', async () => {
    await using app = await startApp([], LAZY);
    const url = `${app.url.replace('http', 'ws')}/tap?server=a&instance=1`;
    expect(await rejectionOf(new WebSocket(url))).toEqual({
      status: 400,
      reason: expect.stringContaining('The tap is too old'),
    });
    expect(await rejectionOf(new WebSocket(url, TAP_PROTOCOLS.token))).toEqual({
      status: 403,
      reason: expect.stringContaining('must prove that it knows the tap key'),
    });
    expect(await ids(app)).toEqual([]);
  });

  test('rejects a tap with another key, also when it repeats the recorded messages of another tap', async () => {
    await using app = await startApp([], LAZY);
    await using directory = await TemporaryDirectory.create();
    using other = new TapSocket(app, { keyFile: directory.path('other.key') });
    await expect(other.accepted()).rejects.toThrow('did not prove that it knows the key');
    const recorded = await recordHandshake(app);
    const replay = new WebSocket(`${app.url.replace('http', 'ws')}/tap`, TAP_PROTOCOLS.key);
    const closed = once(replay, 'close');
    await once(replay, 'open');
    replay.send(recorded[0] ?? '');
    await once(replay, 'message');
    for (const message of recorded.slice(1)) replay.send(message);
    const [code, reason] = (await closed) as [number, Buffer]; // of ws
    expect([code, reason.toString()]).toEqual([4403, 'the tap does not know the tap key']);
    expect(await ids(app)).toEqual(['recorded']);
  });

  test.each<[string, (socket: WebSocket) => void]>([
    ['4 KB before the proof', (socket) => socket.send('x'.repeat(5_000))],
    ['an unfinished message of 4 KB before the proof', (socket) => socket.send('x'.repeat(5_000), { fin: false })],
    ['two messages at once', (socket) => ['{}', '{}'].forEach((text) => socket.send(text))],
    ['a challenge without a nonce', (socket) => socket.send('{"nonce":"short"}')],
    ['no JSON', (socket) => socket.send(Buffer.from([0xff]))],
  ])('closes a tap that sends %s with 4400', async (_name, send) => {
    await using app = await startApp([], LAZY);
    const socket = new WebSocket(`${app.url.replace('http', 'ws')}/tap`, TAP_PROTOCOLS.key);
    const closed = once(socket, 'close');
    await once(socket, 'open');
    send(socket);
    expect((await closed)[0]).toBe(4400);
  });

  test('closes a tap whose message was changed on its way', async () => {
    await using app = await startApp([], LAZY);
    using tap = new TapSocket(app);
    await tap.accepted();
    tap.socket.send(Buffer.alloc(64));
    expect(await tap.closed).toMatchObject({ code: 4400 });
  });
});

/** Returns status and reason of a rejected connection. */
async function rejectionOf(socket: WebSocket): Promise<unknown> {
  const [, response] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage]; // of ws
  return { status: response.statusCode, reason: (await response.toArray()).join('').trim() };
}

/** Connects a tap named `recorded` and returns all that it sends until it has joined. */
async function recordHandshake(app: App): Promise<readonly (string | Buffer)[]> {
  using tap = new TapSocket(app, { join: { server: 'recorded' } });
  const sent: (string | Buffer)[] = [];
  const send = tap.socket.send.bind(tap.socket);
  tap.socket.send = (data: string | Buffer) => {
    sent.push(data);
    send(data);
  };
  await tap.accepted();
  return sent;
}
