import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { toFatalError, CLOSE_FORBIDDEN } from '../../packages/client/src/connection/close-codes.js';
import type { Limits } from '../../src/config/index.js';
import type { ErrorCode } from '../../src/shared/index.js';
import { AccessServer } from '../support/access-server.js';
import { startApp } from '../support/app.js';
import { RawGraphqlWsClient } from '../support/raw-graphql-ws-client.js';
import { TEST_LIMITS } from '../support/limits.js';
import { readPage, rowsOf } from './page.js';

const ROWS = rowsOf(readPage('docs/protocol.md'));
const CODES = ROWS.filter(([code = '']) => /^\d{4}$/.test(code)).map(([code, , retry = '']) => ({
  code: Number(code),
  retry,
}));

interface Case {
  readonly limits?: Partial<Limits>;
  readonly payload?: Record<string, unknown>;
  readonly provoke: (socket: RawGraphqlWsClient) => void;
}

/** Subscription that runs until the client or the server ends it. */
const SUBSCRIBE = { id: '1', type: 'subscribe', payload: { query: 'subscription { notices { code } }' } };

const CASES: readonly (readonly [number, Case])[] = [
  [1008, { limits: { maxMessageFragments: 2 }, provoke: ({ socket }) => sendFragments(socket) }],
  [1009, { limits: { maxMessageBytes: 1_024 }, provoke: (socket) => socket.send({ type: 'x'.repeat(1_024) }) }],
  [1013, { limits: { maxMessagesPerSecond: 1 }, provoke: (socket) => sendPings(socket) }],
  [4400, { payload: { maxHz: 0 }, provoke: () => undefined }],
  [4400, { provoke: (socket) => socket.send({ type: 'start' }) }],
  [4429, { provoke: (socket) => socket.send({ type: 'connection_init' }) }],
];

function sendFragments(socket: WebSocket): void {
  for (const part of ['{', '"', 't']) socket.send(part, { fin: false });
}

function sendPings(socket: RawGraphqlWsClient): void {
  for (let sent = 0; sent < 20; sent++) socket.send({ type: 'ping' });
}

describe('table of close codes in docs/protocol.md', () => {
  test('marks a code as retryable exactly if @swarmlens/client retries after it', () => {
    expect(CODES.length).toBeGreaterThan(10);
    // For some codes the page requires a new token. The client requests one and retries.
    for (const { code, retry } of CODES) {
      expect([code, retry.startsWith('yes')]).toEqual([code, toFatalError(code, '') === null]);
    }
  });

  test.each(CASES)(
    'contains %d, with which the server closes after a protocol violation or exceeded limit',
    async (code, { limits = {}, payload = {}, provoke }) => {
      await using app = await startApp([], { limits: { ...TEST_LIMITS, ...limits } });
      await using socket = await RawGraphqlWsClient.open(
        { socketUrl: `${app.url.replace('http', 'ws')}/graphql` },
        payload,
      );
      provoke(socket);
      expect((await socket.closed).code).toBe(code);
      expect(CODES.map((row) => row.code)).toContain(code);
    },
  );

  test.each([
    [4406, []],
    [4408, ['graphql-transport-ws']],
  ])(
    'contains %d, with which the server closes when the client does not start the protocol',
    async (code, protocols) => {
      await using app = await startApp([], { limits: { ...TEST_LIMITS, connectionInitTimeoutMs: 10 } });
      const socket = new WebSocket(`${app.url.replace('http', 'ws')}/graphql`, protocols);
      const [real] = (await once(socket, 'close')) as [number]; // arguments of the close event of ws
      expect([real, CODES.some((row) => row.code === code)]).toEqual([code, true]);
    },
  );

  test('contains 4401, with which the server closes when an operation comes before the acknowledgment', async () => {
    await using app = await startApp([]);
    // Sends no `connection_init`, because the acknowledgment could come before the operation.
    const socket = new WebSocket(`${app.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
    socket.on('open', () => socket.send(JSON.stringify(SUBSCRIBE)));
    const [real] = (await once(socket, 'close')) as [number]; // arguments of the close event of ws
    expect([real, CODES.some(({ code }) => code === real)]).toEqual([4401, true]);
  });

  test('contains 4409 for a repeated operation id and 1001 for a shutdown', async () => {
    const app = await startApp([]);
    const server = { socketUrl: `${app.url.replace('http', 'ws')}/graphql` };
    await using twice = await RawGraphqlWsClient.open(server, {});
    await using staying = await RawGraphqlWsClient.open(server, {});
    for (const socket of [twice, staying]) await socket.until(({ messages }) => messages.length > 0);
    for (const message of [SUBSCRIBE, SUBSCRIBE]) twice.send(message);
    const first = await twice.closed;
    await app[Symbol.asyncDispose]();
    const codes = [first.code, (await staying.closed).code];
    expect(codes).toEqual([4409, 1001]);
    expect(CODES.map(({ code }) => code)).toEqual(expect.arrayContaining(codes));
  });

  test('contains 4403, with which the server closes after a wrong token', async () => {
    await using access = await AccessServer.start();
    await using socket = await RawGraphqlWsClient.open(access.server, { authorization: 'Bearer wrong' });
    expect((await socket.closed).code).toBe(CLOSE_FORBIDDEN);
  });
});

test('docs/protocol.md lists every error code', () => {
  const codes: Readonly<Record<ErrorCode | 'INTERNAL_SERVER_ERROR', true>> = {
    BAD_USER_INPUT: true,
    UNAUTHENTICATED: true,
    FORBIDDEN: true,
    RATE_LIMITED: true,
    LIMIT_EXCEEDED: true,
    SERVER_UNAVAILABLE: true,
    INTERNAL_SERVER_ERROR: true,
  };
  const named = ROWS.flatMap(([first = '']) => (/^`[A-Z_]+`$/.test(first) ? [first.slice(1, -1)] : []));
  for (const code of Object.keys(codes)) expect(named).toContain(code);
});
