import { once } from 'node:events';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import type { App } from '../../src/app.js';
import { TAP_CALL, TAP_PATH } from '../../src/shared/index.js';
import { request, startApp } from '../support/app.js';
import { garbage, hostileValue, mutatedJson, runs } from '../support/hostile.js';

let app: App;

beforeAll(async () => {
  app = await startApp([], { removeAfterMs: 1 });
});

afterAll(async () => {
  await app[Symbol.asyncDispose]();
});

const GREETING = {
  protocolVersion: '2025-06-18',
  serverInfo: { name: 'ruv-swarm', version: '1' },
  capabilities: { tools: {} },
};
const TOOLS = ['agent_list', 'agent_spawn', 'swarm_status', 'swarm_init'].map((name) => ({
  name,
  inputSchema: { type: 'object' },
}));
const SPAWNED = { content: [{ type: 'text', text: '{"agent":{"id":"a1","type":"coder","status":"idle"}}' }] };

/** What the tap says unasked: calls of its person's, other notifications, answers to nobody, and none of these. */
const said = fc.oneof(
  fc
    .record({
      jsonrpc: fc.constant('2.0'),
      method: fc.constant(TAP_CALL),
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

/** Turns that swarmlens gets for what it may ask after the greeting. */
const PINGS = 6;

/**
 * Joins under a name, answers what a tap must be asked, spoilt or not, says what it has to say, and leaves.
 * @returns whether it was asked for its tools, too
 */
async function tap(name: string, answers: readonly string[], sayings: readonly string[]): Promise<boolean> {
  const query = new URLSearchParams({ server: name, instance: 'one' });
  const socket = new WebSocket(`${app.url.replace('http', 'ws')}${TAP_PATH}?${query.toString()}`);
  socket.on('error', () => undefined);
  // Not `once` of node:events, which takes a connection that is cut off for a failure.
  const closed = new Promise((resolve) => socket.once('close', resolve));
  const left = [...answers];
  let pings = 0;
  socket.on('message', (data: Buffer) => {
    const id = /"id":("[^"]*"|\d+)/.exec(data.toString())?.[1];
    const answer = id === undefined ? undefined : left.shift();
    if (answer !== undefined && id !== undefined) socket.send(answer.replace('"the id"', id));
  });
  socket.on('pong', () => {
    pings += 1;
    if (pings < PINGS) socket.ping();
    else {
      for (const saying of sayings) socket.send(saying);
      socket.close(1000, 'the session has ended');
    }
  });
  await once(socket, 'open');
  socket.ping();
  await closed;
  return left.length === 0;
}

const answers = fc.tuple(
  ...[GREETING, { tools: TOOLS }].map((result) => {
    const whole = { jsonrpc: '2.0', id: 'the id', result };
    return fc.oneof({ weight: 3, arbitrary: fc.constant(JSON.stringify(whole)) }, mutatedJson(whole));
  }),
);

test('whatever a tap is called and says, the program goes on, and the next client is served', async () => {
  let observed = 0;
  await fc.assert(
    fc.asyncProperty(names, answers, fc.array(said, { maxLength: 4 }), async (name, given, sayings) => {
      if (await tap(name, given, sayings)) observed += 1;
      const { data, errors } = await request(app, '{ agents { id name type } servers { id lastError tools } }');
      expect(errors).toBeUndefined();
      expect(data).toBeDefined();
    }),
    runs(60),
  );
  expect(observed).toBeGreaterThan(0);
});
