import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { AgentUpdatesDocument, AgentsDocument, CallToolDocument, HealthDocument } from '../../src/client/index.js';
import { BareClient } from '../support/delivery-server.js';
import { assertMasked } from '../support/answers.js';
import { garbage, hostileValue, mutatedJson, mutatedText, runs } from '../support/hostile.js';
import { fuzzedServer } from './server.js';

const fuzzed = fuzzedServer();

const INIT = { type: 'connection_init', payload: { maxHz: 10, authorization: 'Bearer x' } };
const TEXTS: readonly string[] = [AgentsDocument, HealthDocument, CallToolDocument, AgentUpdatesDocument];

function subscribe(query: string): object {
  const variables = { serverTypes: ['DAA'], mode: 'NORMAL', after: 'x', serverId: 'x', tool: 't', arguments: { a: 1 } };
  return { id: '1', type: 'subscribe', payload: { query, variables, operationName: null, extensions: {} } };
}

const valid = fc.oneof(
  fc.constantFrom(INIT, { type: 'ping' }, { type: 'pong', payload: {} }, { id: '1', type: 'complete' }),
  fc.constantFrom(...TEXTS).map(subscribe),
);

/** One message, as text or as bytes that say they are none. */
const messages = fc.record({
  bytes: fc.oneof(
    valid.map((message) => Buffer.from(JSON.stringify(message))),
    valid.chain(mutatedJson).map((text) => Buffer.from(text)),
    fc
      .constantFrom(...TEXTS)
      .chain(mutatedText)
      .map((query) => Buffer.from(JSON.stringify(subscribe(query)))),
    fc
      .record({ id: hostileValue, type: hostileValue, payload: hostileValue })
      .map((one) => Buffer.from(JSON.stringify(one))),
    garbage,
  ),
  binary: fc.boolean(),
});

/** What graphql-transport-ws and WebSocket have for a client that is not understood; never an error of the server's. */
const CLOSE_CODES = new Set([1000, 1002, 1003, 1007, 1009, 4400, 4401, 4403, 4406, 4408, 4409, 4429]);

/**
 * Sends what there is, and after it something whole.
 * @returns when that is answered, or the socket is closed
 */
async function play(
  all: readonly { readonly bytes: Buffer; readonly binary: boolean }[],
  greets: boolean,
): Promise<void> {
  const socket = new WebSocket(fuzzed().server.socketUrl, 'graphql-transport-ws');
  const id = `last-${randomUUID()}`;
  const over = new Promise<void>((resolve, reject) => {
    socket.on('close', (code) => {
      if (CLOSE_CODES.has(code)) resolve();
      else reject(new Error(`closed with ${code}`));
    });
    socket.on('message', (data: Buffer) => {
      try {
        const message = assertMessage(data.toString());
        if (message.id === id && message.type === 'complete') socket.close(1000);
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    });
    socket.on('error', reject);
  });
  await once(socket, 'open');
  if (greets) socket.send(JSON.stringify(INIT));
  for (const { bytes, binary } of all) socket.send(bytes, { binary });
  socket.send(JSON.stringify({ id, type: 'subscribe', payload: { query: '{ __typename }' } }));
  await over;
}

const TYPES = ['connection_ack', 'ping', 'pong', 'next', 'error', 'complete'];

function assertMessage(text: string): { readonly id?: string; readonly type: string } {
  const message = JSON.parse(text) as { id?: string; type: string; payload?: { errors?: unknown } }; // graphql-transport-ws
  expect(TYPES).toContain(message.type);
  if (message.type === 'error') assertMasked(message.payload);
  else if (message.type === 'next') assertMasked(message.payload?.errors ?? []);
  return message;
}

async function assertServesNext(): Promise<void> {
  await using client = await BareClient.connect(fuzzed().server);
  client.subscribe();
  await client.until(({ updates }) => updates.length > 0);
  expect(client.picture.size).toBe(3);
}

test('whatever a client sends, the server answers by the protocol, has no error of its own, and serves the next', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(messages, { minLength: 1, maxLength: 5 }), fc.nat(4), async (all, ungreeted) => {
      await play(all, ungreeted > 0);
      await assertServesNext();
    }),
    runs(150),
  );
  expect(fuzzed().server.errors).toEqual([]);
  expect(fuzzed().log.filter(({ level }) => level === 'error')).toEqual([]);
});

/** A frame as a client may write it, or not. */
const frames = fc.oneof(
  fc
    .record({
      first: fc.nat(255),
      masked: fc.boolean(),
      length: fc.oneof(fc.nat(125), fc.constantFrom(126, 127)),
      payload: fc.uint8Array({ maxLength: 140 }),
    })
    .map(({ first, masked, length, payload }) => Buffer.from([first, length | (masked ? 0x80 : 0), ...payload])),
  garbage,
);

test('whatever bytes come instead of frames, the socket ends or waits, and the next client is served', async () => {
  const { hostname, port } = new URL(fuzzed().server.url);
  await fc.assert(
    fc.asyncProperty(fc.array(frames, { maxLength: 4 }), fc.boolean(), async (all, compressed) => {
      const socket = connect(Number(port), hostname);
      socket.on('error', () => undefined);
      // Not `once` of node:events, which takes a connection that is cut off for a failure.
      const closed = new Promise((resolve) => socket.once('close', resolve));
      socket.write(
        [
          'GET /graphql HTTP/1.1',
          `Host: ${hostname}:${port}`,
          'Connection: Upgrade',
          'Upgrade: websocket',
          'Sec-WebSocket-Version: 13',
          `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
          'Sec-WebSocket-Protocol: graphql-transport-ws',
          ...(compressed ? ['Sec-WebSocket-Extensions: permessage-deflate'] : []),
          '\r\n',
        ].join('\r\n'),
      );
      await once(socket, 'data');
      socket.resume();
      for (const frame of all) socket.write(frame);
      socket.end();
      await closed;
      await assertServesNext();
    }),
    runs(60),
  );
  expect(fuzzed().server.errors).toEqual([]);
  expect(fuzzed().log.filter(({ level }) => level === 'error')).toEqual([]);
});
