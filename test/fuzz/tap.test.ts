import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import type { App } from '../../src/app/create-app.js';
import { TAP_CALL_METHOD } from '../../src/shared/index.js';
import { request, startApp } from '../support/app.js';
import { TapSocket } from '../support/tap-socket.js';
import { garbage, hostileValue, mutatedJson, runs } from '../support/fuzz-inputs.js';

let app: App;

beforeAll(async () => {
  app = await startApp([], { removeAfterMs: 1 });
});

afterAll(async () => {
  await app[Symbol.asyncDispose]();
});

const INITIALIZE_RESULT = {
  protocolVersion: '2025-06-18',
  serverInfo: { name: 'ruv-swarm', version: '1' },
  capabilities: { tools: {} },
};
const TOOLS = ['agent_list', 'agent_spawn', 'swarm_status', 'swarm_init'].map((name) => ({
  name,
  inputSchema: { type: 'object' },
}));
const SPAWNED = { content: [{ type: 'text', text: '{"agent":{"id":"a1","type":"coder","status":"idle"}}' }] };

/** Messages that a tap sends on its own: observed calls, notifications, unrelated responses, and any other text. */
const tapMessages = fc.oneof(
  fc
    .record({
      jsonrpc: fc.constant('2.0'),
      method: fc.constant(TAP_CALL_METHOD),
      params: fc.record({
        tool: fc.oneof(fc.constantFrom('agent_spawn', 'agent_list', 'swarm_init'), hostileValue),
        arguments: hostileValue,
        result: fc.oneof(fc.constant(SPAWNED), hostileValue),
        dropped: hostileValue,
      }),
    })
    .chain(mutatedJson),
  fc.constant('{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}'),
  fc
    .record({ jsonrpc: fc.constant('2.0'), id: hostileValue, method: hostileValue, params: hostileValue })
    .map((message) => JSON.stringify(message)),
  garbage.map((bytes) => bytes.toString('latin1')),
);

const names = fc.oneof(
  fc.constantFrom('mine', '__proto__', 'constructor', '\u{1F41D}'.repeat(64), '\u{1F41D}'.repeat(65), 'a:b', '', ' '),
  fc.string({ unit: 'binary', maxLength: 64 }),
);

/** Number of pings that give swarmlens time to send its requests after `initialize`. */
const PINGS = 6;

/**
 * Connects as a tap, sends the responses to the requests of swarmlens and then the messages, and disconnects.
 * @returns whether swarmlens requested both the initialization and the tools
 */
async function tap(name: string, answers: readonly string[], messages: readonly string[]): Promise<boolean> {
  using connection = new TapSocket(app, { join: { server: name, instance: 'one' } });
  const { socket } = connection;
  const remaining = [...answers];
  let pings = 0;
  connection.onReceived = (text) => {
    const id = /"id":("[^"]*"|\d+)/.exec(text)?.[1];
    const answer = id === undefined ? undefined : remaining.shift();
    if (answer !== undefined && id !== undefined) connection.send(answer.replace('"the id"', id));
  };
  socket.on('pong', () => {
    pings += 1;
    if (pings < PINGS) socket.ping();
    else {
      for (const message of messages) connection.send(message);
      socket.close(1000, 'the session has ended');
    }
  });
  await connection.joined;
  if (socket.readyState === WebSocket.OPEN) socket.ping();
  await connection.closed;
  return remaining.length === 0;
}

const answers = fc.tuple(
  ...[INITIALIZE_RESULT, { tools: TOOLS }].map((result) => {
    const whole = { jsonrpc: '2.0', id: 'the id', result };
    return fc.oneof({ weight: 3, arbitrary: fc.constant(JSON.stringify(whole)) }, mutatedJson(whole));
  }),
);

test('for any tap name and messages: swarmlens keeps running and serves the next request', async () => {
  let observed = 0;
  await fc.assert(
    fc.asyncProperty(names, answers, fc.array(tapMessages, { maxLength: 4 }), async (name, given, messages) => {
      if (await tap(name, given, messages)) observed += 1;
      const { data, errors } = await request(app, '{ agents { id name type } servers { id lastError tools } }');
      expect(errors).toBeUndefined();
      expect(data).toEqual({ agents: expect.any(Array) as unknown, servers: expect.any(Array) as unknown }); // matchers are typed any
    }),
    runs(60),
  );
  expect(observed).toBeGreaterThan(0);
});
