import { once } from 'node:events';
import { createServer, type IncomingMessage, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { ANONYMOUS_VIEWER, type Viewer } from '../../../src/auth/index.js';
import { CloseCounters } from '../../../src/server/limits/close-counters.js';
import { TapAcceptor, type TapAcceptorOptions } from '../../../src/server/websocket/tap-acceptor.js';
import {
  loadTapKey,
  MAX_MESSAGE_BYTES,
  SwarmlensError,
  TAP_HANDSHAKE_TIMEOUT_MS,
  TAP_PROTOCOLS,
} from '../../../src/shared/index.js';
import { recordingLogger } from '../../mcp/support.js';
import { ManualClock } from '../../support/manual-clock.js';
import { TAP_KEY_FILE } from '../../support/tap-key-file.js';
import { TapSocket } from '../../support/tap-socket.js';
import { waitUntil } from '../../support/wait.js';

const ADMIN: Viewer = { ...ANONYMOUS_VIEWER, subject: 'ada' };
const JOIN = JSON.stringify({ server: 'mine', instance: 'one' });

/** HTTP server that hands every upgrade request to a TapAcceptor. */
class AcceptorSetup implements AsyncDisposable {
  readonly clock = new ManualClock();
  readonly closes = new CloseCounters();
  readonly log = recordingLogger();
  /** Names of the taps that have joined. */
  readonly joined: Omit<Parameters<TapAcceptorOptions['join']>[0], 'socket'>[] = [];
  /** Values of `Authorization` that were authenticated. */
  readonly received: (string | null)[] = [];
  readonly expiries = new Set<(reason: string) => void>();
  authenticate: () => Promise<Viewer> = () => Promise.resolve(ADMIN);
  loadKey = (): Promise<Buffer> => loadTapKey(TAP_KEY_FILE);
  /** Stream of the last upgrade request. */
  duplex: Duplex | null = null;
  url = '';
  readonly authenticator = {
    isRequired: true,
    watch: (_viewer: Viewer, onExpired: (reason: string) => void): Disposable => {
      this.expiries.add(onExpired);
      return { [Symbol.dispose]: () => void this.expiries.delete(onExpired) };
    },
  };
  readonly acceptor = new TapAcceptor({
    join: ({ socket, ...tap }) => {
      this.joined.push(tap);
      socket.send('accepted', () => undefined);
    },
    authenticator: this.authenticator,
    requests: {
      authenticate: (_request, authorization) => {
        this.received.push(authorization);
        return this.authenticate();
      },
    },
    loadKey: () => this.loadKey(),
    originPolicy: { anyHost: false, origins: [], allowHeaders: [], tokens: true },
    clock: this.clock,
    closes: this.closes,
    logger: this.log.logger,
  });
  readonly #server = createServer();

  private constructor() {
    this.#server.on('upgrade', (request, duplex, head) => {
      this.duplex = duplex;
      this.acceptor.upgrade(request, duplex, head);
    });
  }

  static async start(): Promise<AcceptorSetup> {
    const setup = new AcceptorSetup();
    setup.#server.listen(0, '127.0.0.1');
    await once(setup.#server, 'listening');
    const { port } = setup.#server.address() as AddressInfo; // it listens on a port
    setup.url = `http://127.0.0.1:${port}`;
    return setup;
  }

  /** Sends an upgrade request and returns status and text of its rejection, or the socket of the accepted one. */
  async upgrade(
    protocol: string | null,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<{ readonly status: number | undefined; readonly text: string; readonly duplex: Duplex | null }> {
    const request = httpRequest(`${this.url}/tap`, {
      agent: false,
      headers: {
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
        ...(protocol !== null && { 'sec-websocket-protocol': protocol }),
        ...headers,
      },
    });
    request.end();
    return await new Promise((resolve, reject) => {
      request.once('error', reject);
      request.once('upgrade', ({ statusCode }, duplex) => resolve({ status: statusCode, text: '', duplex }));
      request.once('response', (response: IncomingMessage) => {
        const { statusCode: status } = response;
        response.toArray().then((chunks) => resolve({ status, text: chunks.join(''), duplex: null }), reject);
      });
    });
  }

  /** Connects a tap that sends its token in the upgrade request. */
  async open(): Promise<{ readonly socket: WebSocket; readonly closed: Promise<{ code: number; reason: string }> }> {
    const headers = { authorization: 'Bearer t' };
    const socket = new WebSocket(`${this.url.replace('http', 'ws')}/tap`, TAP_PROTOCOLS.token, { headers });
    const closed = new Promise<{ code: number; reason: string }>((resolve) => {
      socket.on('error', () => undefined);
      socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() }));
    });
    await once(socket, 'open');
    return { socket, closed };
  }

  async until(isReached: () => boolean): Promise<void> {
    await waitUntil(isReached, { state: () => ({ joined: this.joined, lines: this.log.lines }) });
  }

  /** Resolves with the codes of `count` closed taps. */
  async closedCodes(count: number): Promise<unknown> {
    await this.until(() => this.closes.taps.reduce((sum, entry) => sum + entry.count, 0) === count);
    return this.closes.taps.map(({ labels, count: times }) => [labels['code'], times]);
  }

  /** Texts of the warnings about rejected taps. */
  warnings(): string[] {
    return this.log.lines
      .filter(({ level, fields }) => level === 'warn' && fields['code'] === 'TAP_REFUSED')
      .map(({ message }) => message);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.acceptor[Symbol.asyncDispose]();
    expect(this.expiries.size).toBe(0);
    expect(this.clock.pending).toBe(0);
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

describe('TapAcceptor', () => {
  test.each<[string, string | null, Record<string, string>, number, string]>([
    ['a web page', TAP_PROTOCOLS.key, { origin: 'http://127.0.0.1:4000' }, 403, 'from web pages'],
    ['a browser', TAP_PROTOCOLS.key, { 'sec-fetch-site': 'none' }, 403, 'from web pages'],
    ['another host', TAP_PROTOCOLS.key, { host: 'example.org' }, 403, 'Unknown host'],
    ['another host with a token', TAP_PROTOCOLS.token, { host: 'example.org' }, 403, 'Unknown host'],
    ['an older tap', null, {}, 400, 'too old'],
    ['another protocol', 'graphql-transport-ws', {}, 400, 'too old'],
    ['a protocol with a longer name', `${TAP_PROTOCOLS.key}1`, {}, 400, 'too old'],
  ])('rejects %s', async (_, protocol, headers, status, reason) => {
    await using setup = await AcceptorSetup.start();
    const rejected = await setup.upgrade(protocol, headers);
    expect(rejected.status).toBe(status);
    expect(rejected.text).toContain(reason);
    expect(setup.closes.rejectedUpgrades).toEqual([{ labels: { status: `${status}` }, count: 1 }]);
    expect(setup.log.lines.filter(({ level }) => level === 'debug')).toMatchObject([
      { fields: { clientId: '127.0.0.1', status, reason: expect.stringContaining(reason) as string } },
    ]);
    expect(setup.warnings()).toHaveLength(status === 400 ? 1 : 0);
    expect(setup.received).toEqual([]);
  });

  test('rejects a tap without a proof when no tokens are required', async () => {
    await using setup = await AcceptorSetup.start();
    setup.authenticator.isRequired = false;
    const rejected = await setup.upgrade(TAP_PROTOCOLS.token, { authorization: 'Bearer t' });
    expect(rejected.status).toBe(403);
    expect(rejected.text).toContain('--key-file');
    expect(setup.warnings()).toEqual([expect.stringContaining('--key-file')]);
    expect(setup.received).toEqual([]);
  });

  test('picks its protocol from several offered ones', async () => {
    await using setup = await AcceptorSetup.start();
    for (const protocol of Object.values(TAP_PROTOCOLS)) {
      const { status, duplex } = await setup.upgrade(`${protocol}, other`);
      expect(status).toBe(101);
      duplex?.destroy();
      expect((await setup.upgrade(`other ,  ${protocol}`)).status).toBe(101);
    }
  });

  test.each<[string, () => Error, number]>([
    ['an invalid token', () => new SwarmlensError('UNAUTHENTICATED', 'the reason'), 401],
    ['a token without access', () => new SwarmlensError('FORBIDDEN', 'the reason'), 403],
    ['too many attempts', () => new SwarmlensError('RATE_LIMITED', 'the reason'), 429],
    ['tokens that cannot be verified', () => new SwarmlensError('SERVER_UNAVAILABLE', 'the reason'), 503],
    ['an unexpected error', () => new Error('secret'), 503],
  ])('rejects the upgrade or closes the WebSocket after %s', async (_, createError, status) => {
    await using setup = await AcceptorSetup.start();
    const error = createError();
    setup.authenticate = () => Promise.reject(error);
    const isExpected = error instanceof SwarmlensError;
    const reason = isExpected ? 'the reason' : 'Internal server error.';
    const rejected = await setup.upgrade(TAP_PROTOCOLS.token, { authorization: 'Bearer t' });
    expect(rejected.status).toBe(status);
    expect(rejected.text).toContain(reason);
    expect(setup.closes.rejectedUpgrades).toEqual([{ labels: { status: `${status}` }, count: 1 }]);
    using tap = new TapSocket(setup, { join: { token: 'u' } });
    expect(await tap.closed).toEqual({ code: status < 429 ? 4403 : 1013, reason });
    expect(setup.received).toEqual(['Bearer t', 'Bearer u']);
    expect(setup.joined).toEqual([]);
    expect(setup.log.lines.filter(({ level }) => level === 'error').map(({ fields }) => fields)).toEqual(
      isExpected ? [] : [{ error: 'secret' }, { error: 'secret' }],
    );
    expect(rejected.text).not.toContain('secret');
  });

  test('truncates the reason of a rejected tap to the length of a close frame', async () => {
    await using setup = await AcceptorSetup.start();
    setup.authenticate = () => Promise.reject(new SwarmlensError('FORBIDDEN', 'x'.repeat(200)));
    using tap = new TapSocket(setup);
    expect(await tap.closed).toEqual({ code: 4403, reason: 'x'.repeat(123) });
  });

  test('requires the permission servers:admin', async () => {
    await using setup = await AcceptorSetup.start();
    setup.authenticate = () => Promise.resolve({ ...ADMIN, permissions: new Set(['agents:read'] as const) });
    expect(await setup.upgrade(TAP_PROTOCOLS.token)).toMatchObject({ status: 403 });
    using tap = new TapSocket(setup);
    expect(await tap.closed).toMatchObject({ code: 4403 });
    expect(setup.received).toEqual([null, null]);
  });

  test('joins a proved tap after it is authenticated by the token of its join message', async () => {
    await using setup = await AcceptorSetup.start();
    for (const token of ['t', null, undefined]) {
      using tap = new TapSocket(setup, { join: { token, client: 'editor', allowTools: ['a'] } });
      await tap.accepted();
      expect(tap.received).toEqual(['accepted']);
    }
    expect(setup.received).toEqual(['Bearer t', null, null]);
    expect(setup.joined[0]).toEqual({ name: 'mine', instance: 'one', client: 'editor', allowTools: ['a'] });
  });

  test('joins a tap that its upgrade request has authenticated, and does not authenticate it again', async () => {
    await using setup = await AcceptorSetup.start();
    const { socket } = await setup.open();
    const accepted = once(socket, 'message');
    socket.send(JSON.stringify({ server: 'mine', instance: 'one', token: 'ignored' }));
    await accepted;
    expect(setup.received).toEqual(['Bearer t']);
    expect(setup.joined).toEqual([{ name: 'mine', instance: 'one', client: null, allowTools: [] }]);
    expect([socket.extensions, socket.protocol]).toEqual(['', TAP_PROTOCOLS.token]);
  });

  test('rejects names outside the restriction of the token', async () => {
    await using setup = await AcceptorSetup.start();
    setup.authenticate = () =>
      Promise.resolve({ ...ADMIN, restriction: { ...ADMIN.restriction, serverIds: ['other', 'mine'] } });
    using allowed = new TapSocket(setup);
    await allowed.accepted();
    using refused = new TapSocket(setup, { join: { server: 'flow' } });
    expect(await refused.closed).toEqual({
      code: 4403,
      reason: 'The token gives no access to a server named "flow".',
    });
    expect(setup.joined.map(({ name }) => name)).toEqual(['mine']);
  });

  test('closes a tap with 4403 when its token expires, and forgets it when it leaves', async () => {
    await using setup = await AcceptorSetup.start();
    const { socket, closed } = await setup.open();
    socket.send(JOIN);
    using other = new TapSocket(setup);
    await setup.until(() => setup.expiries.size === 2);
    const [onExpired] = setup.expiries;
    onExpired?.('The token has expired');
    const ends = await Promise.race([closed, other.closed]);
    expect(ends).toEqual({ code: 4403, reason: 'The token has expired' });
    await setup.until(() => setup.expiries.size === 1);
  });

  test('does not join a tap that leaves during authentication', async () => {
    await using setup = await AcceptorSetup.start();
    let resolveViewer: (viewer: Viewer) => void = () => undefined;
    setup.authenticate = () => new Promise((resolve) => (resolveViewer = resolve));
    using tap = new TapSocket(setup);
    await setup.until(() => setup.received.length === 1);
    tap.socket.close();
    await setup.closedCodes(1);
    resolveViewer(ADMIN);
    const { duplex: waiting } = setup;
    const upgrading = setup.upgrade(TAP_PROTOCOLS.token).catch((error: unknown) => error);
    await setup.until(() => setup.duplex !== waiting);
    expect(setup.duplex?.listenerCount('error')).toBeGreaterThan(0);
    setup.duplex?.destroy(new Error('lost'));
    resolveViewer(ADMIN);
    expect(await upgrading).toBeInstanceOf(Error);
    expect([setup.joined, setup.expiries.size]).toEqual([[], 0]);
  });

  test.each([
    [
      'UNAVAILABLE with 1013, without the reason',
      (setup: AcceptorSetup) => (setup.loadKey = () => Promise.reject(new Error('no permission'))),
      { code: 1013, reason: 'swarmlens cannot read its tap key' },
      ['1013', 1],
      'no permission',
    ],
    [
      'UNPROVED with 4403',
      (setup: AcceptorSetup) => (setup.loadKey = () => Promise.resolve(Buffer.alloc(32, 7))),
      { code: 4403, reason: 'the tap does not know the tap key' },
      ['1006', 1],
      'does not know the tap key',
    ],
  ] as const)('closes a tap for %s, and logs it', async (_, prepare, expected, counted, logged) => {
    await using setup = await AcceptorSetup.start();
    prepare(setup);
    const socket = new WebSocket(`${setup.url.replace('http', 'ws')}/tap`, TAP_PROTOCOLS.key);
    const closed = once(socket, 'close') as Promise<[number, Buffer]>; // arguments of the event
    await once(socket, 'open');
    socket.on('message', () => socket.send(JSON.stringify({ proof: 'x' })));
    socket.send(JSON.stringify({ nonce: 'n'.repeat(43) }));
    const [code, reason] = await closed;
    expect({ code, reason: reason.toString() }).toEqual(expected);
    expect(await setup.closedCodes(1)).toEqual([counted]);
    expect(setup.warnings()).toEqual([expect.stringContaining(logged)]);
  });

  test('closes a tap with 4400 after a timeout or an invalid message, without waiting for its close frame', async () => {
    await using setup = await AcceptorSetup.start();
    const silent = await setup.open();
    await setup.clock.pass(TAP_HANDSHAKE_TIMEOUT_MS);
    expect(await silent.closed).toEqual({ code: 4400, reason: 'handshake timeout' });
    const invalid = await setup.open();
    invalid.socket.send('{}');
    expect(await invalid.closed).toEqual({ code: 4400, reason: 'invalid handshake' });
    expect(await setup.closedCodes(2)).toEqual([['1006', 2]]);
    expect(setup.warnings()).toEqual([]);
  });

  test('counts and logs the end of a tap with its client and duration', async () => {
    await using setup = await AcceptorSetup.start();
    const { socket } = await setup.open();
    setup.clock.advance(1_234.6);
    socket.close(4_321, 'bye');
    expect(await setup.closedCodes(1)).toEqual([['other', 1]]);
    using proved = new TapSocket(setup);
    await proved.accepted();
    proved.socket.close(1_000);
    await setup.closedCodes(2);
    expect(setup.log.lines.map(({ level, fields }) => ({ level, ...fields }))).toEqual([
      { level: 'debug', clientId: 'ada', code: 4_321, reason: 'bye', durationMs: 1_235 },
      { level: 'debug', clientId: '127.0.0.1', code: 1_000, reason: '', durationMs: 0 },
    ]);
  });

  test('accepts messages of 10 MB and 64 KB, and logs the error of a longer one', async () => {
    await using setup = await AcceptorSetup.start();
    const maxBytes = MAX_MESSAGE_BYTES + 65_536;
    const send = async (length: number): Promise<Duplex> => {
      const { duplex } = await setup.upgrade(TAP_PROTOCOLS.token);
      if (duplex === null) throw new Error('rejected');
      const header = Buffer.alloc(14);
      header.writeUInt16BE(0x81ff);
      header.writeBigUInt64BE(BigInt(length), 2);
      duplex.write(header);
      return duplex.resume();
    };
    const accepted = await send(maxBytes);
    await once(await send(maxBytes + 1), 'end');
    accepted.destroy();
    await setup.closedCodes(2);
    expect(setup.log.lines.filter(({ message }) => message === 'tap socket error').map(({ fields }) => fields)).toEqual(
      [{ error: 'Max payload size exceeded' }],
    );
  });

  test('logs one rejection per minute', async () => {
    await using setup = await AcceptorSetup.start();
    await setup.upgrade(null);
    setup.clock.advance(59_999);
    await setup.upgrade(null);
    expect(setup.warnings()).toHaveLength(1);
    setup.clock.advance(1);
    await setup.upgrade(null);
    expect(setup.warnings()).toHaveLength(2);
  });

  test('closes its taps with 1001 when it is disposed, without waiting for their close frames', async () => {
    await using setup = await AcceptorSetup.start();
    const taps = [await setup.open(), await setup.open()];
    await setup.acceptor[Symbol.asyncDispose]();
    for (const { closed } of taps) expect(await closed).toMatchObject({ code: 1001 });
    expect(setup.closes.taps).toEqual([{ labels: { code: '1006' }, count: 2 }]);
  });
});
