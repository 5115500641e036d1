import { afterAll, beforeAll, expect, test } from 'vitest';
import { emptyDelta } from '../../src/state/index.js';
import { serverOf } from '../support/arbitraries.js';
import { AccessServer } from '../support/access-server.js';
import { RawGraphqlWsClient } from '../support/raw-graphql-ws-client.js';

const WATCH =
  'subscription { agentUpdates(mode: HIGH_FREQUENCY) { kind removedAgentIds agents { id name } performanceMetrics { totalAgents } } }';
const LOOK =
  '{ agents { id } servers { id agentCount } health { servers { id } } discovery { totalAgents } agent(id: "x:1") { id } }';

let access: AccessServer;

beforeAll(async () => {
  access = await AccessServer.start();
  access.server.store.commit({ ...emptyDelta('hidden'), server: serverOf('hidden') });
});

afterAll(async () => {
  await access[Symbol.asyncDispose]();
});

async function createCoderToken(): Promise<string> {
  return await access.jwt({ scope: 'agents:read health:read', swarmlens: { servers: ['x'], agentTypes: ['coder'] } });
}

test('access scopes limit queries over HTTP to the restriction of the token', async () => {
  const response = await access.post(LOOK, `Bearer ${await createCoderToken()}`);
  expect(await response.json()).toEqual({
    data: {
      agents: [{ id: 'x:0' }, { id: 'x:2' }],
      servers: [{ id: 'x', agentCount: 2 }],
      health: { servers: [{ id: 'x' }] },
      discovery: { totalAgents: 2 },
      agent: null,
    },
  });
});

test('access scopes limit updates over WebSocket and SSE to the restriction of the token', async () => {
  await using socket = await RawGraphqlWsClient.withToken(access.server, await createCoderToken());
  await using all = await RawGraphqlWsClient.withToken(access.server, await access.jwt());
  const response = await access.post(WATCH, `Bearer ${await createCoderToken()}`, { accept: 'text/event-stream' });
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  if (reader === undefined) throw new Error('no body');
  let events = '';
  const readUntil = async (text: string): Promise<void> => {
    while (!events.includes(text)) {
      const { value, done } = await reader.read();
      if (done) throw new Error(`ended: ${events}`);
      events += value;
    }
  };
  socket.run('1', WATCH);
  all.run('1', WATCH);
  await socket.until((one) => one.of('1').length === 1);
  await all.until((one) => one.of('1').length === 1);
  await readUntil('SNAPSHOT');
  access.server.show(1, 2, 1);
  access.server.remove(['x:1']);
  await all.until((one) => JSON.stringify(one.of('1')).includes('"removedAgentIds":["x:1"]'));
  access.server.show(2, 3, 2);
  await socket.until((one) => one.of('1').length > 1);
  await readUntil('DELTA');
  const agent = (id: string, round: number): object => ({ id: `x:${id}`, name: `agent ${id} in round ${round}` });
  const metrics = { performanceMetrics: { totalAgents: 2 } };
  const expected = [
    { kind: 'SNAPSHOT', removedAgentIds: [], agents: [agent('0', 0), agent('2', 0)], ...metrics },
    { kind: 'DELTA', removedAgentIds: [], agents: [agent('2', 2)], ...metrics },
  ].map((agentUpdates) => ({ data: { agentUpdates } }));
  expect(socket.of('1')).toEqual(expected);
  const overSse = events.match(/^data: \{.*$/gm)?.map((line) => JSON.parse(line.slice('data: '.length)) as unknown);
  expect(overSse).toEqual(expected);
  await reader.cancel();
});
