import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { AgentUpdatesDocument, AgentsDocument, CallToolDocument, HealthDocument } from '@swarmlens/client';
import { RawStreamClient } from '../support/delivery-server.js';
import { assertMasked } from '../support/expected-errors.js';
import { garbage, hostileValue, mutatedJson, mutatedText, runs } from '../support/fuzz-inputs.js';
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

/** Messages in text or binary frames. */
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

/** Close codes for a normal end and for client errors. */
const CLOSE_CODES = new Set([1000, 1002, 1003, 1007, 1009, 4400, 4401, 4403, 4406, 4408, 4409, 4429]);

/**
 * Sends the messages and then a valid query. Resolves when the query is complete or the server has closed the socket.
 * @param initializes whether to send `connection_init` first
 */
async function play(
  all: readonly { readonly bytes: Buffer; readonly binary: boolean }[],
  initializes: boolean,
): Promise<void> {
  const socket = new WebSocket(fuzzed().server.socketUrl, 'graphql-transport-ws');
  const id = `last-${randomUUID()}`;
  const ended = new Promise<void>((resolve, reject) => {
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
  if (initializes) socket.send(JSON.stringify(INIT));
  for (const { bytes, binary } of all) socket.send(bytes, { binary });
  socket.send(JSON.stringify({ id, type: 'subscribe', payload: { query: '{ __typename }' } }));
  await ended;
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
  await using client = await RawStreamClient.connect(fuzzed().server);
  client.subscribe();
  await client.until(({ updates }) => updates.length > 0);
  expect(client.agentNames.size).toBe(3);
}

test('for any messages: the WebSocket server follows the protocol, logs no error and serves the next client', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(messages, { minLength: 1, maxLength: 5 }), fc.nat(4), async (all, chance) => {
      await play(all, chance > 0);
      await assertServesNext();
    }),
    runs(150),
  );
  expect(fuzzed().server.errors).toEqual([]);
  expect(fuzzed().log.filter(({ level }) => level === 'error')).toEqual([]);
});

/** Valid and invalid frames of a client. */
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

test('for any bytes instead of frames: the WebSocket server closes the socket and serves the next client', async () => {
  const { hostname, port } = new URL(fuzzed().server.url);
  await fc.assert(
    fc.asyncProperty(fc.array(frames, { maxLength: 4 }), fc.boolean(), async (all, compressed) => {
      const socket = connect(Number(port), hostname);
      socket.on('error', () => undefined);
      // `once` of node:events would reject when the server resets the connection.
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
