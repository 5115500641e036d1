import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ServerReport } from '../../src/model/index.js';
import { agentIn, type Rig, rigOf } from './fake-server.js';
import { mutationOf, runs } from '../support/fuzz-inputs.js';
import { assertSound } from './corrupt-responses.js';
import { NOT_REPORTED } from '../support/unknown-fields.js';

const REGISTERED_AT = 1_795_446_110_463;
const ACTED_AT = Date.parse('2026-11-26T12:00:00.250Z');
const METHOD = 'notifications/agent_action';

/** Registered agent in the shape of the gateway's source. */
const AGENTS = [
  { id: 'a-1', description: 'looks things up', inputSchema: {}, registeredAt: REGISTERED_AT },
  { id: 'a-2', name: 'Writer', type: 'Coder', status: 'idle', capabilities: ['prose'], registeredAt: REGISTERED_AT },
];

function gateway(agents: unknown = AGENTS): Rig {
  return rigOf('CLAUDE_FLOW', { 'agent/list': { agents, count: 2 } });
}

/** Action in the envelope that the original gateway pushes. */
function act(rig: Rig, event: Record<string, unknown>): ServerReport | null {
  const whole = { version: 3, id: 1, target_node_id: 7, action_type: 1, timestamp: ACTED_AT, metadata: {}, ...event };
  return rig.adapter.observe({ kind: 'NOTIFICATION', method: METHOD, params: { type: 'agent_action', event: whole } });
}

function shown(report: ServerReport | null, id: string) {
  if (report === null) throw new Error('no report');
  return agentIn(report, id);
}

test('GatewayAdapter reports the values of a registration, and null for all others', async () => {
  const rig = gateway();
  const report = await rig.poll();
  expect(agentIn(report, 'a-2')).toEqual({
    nativeId: 'a-2',
    serverType: 'CLAUDE_FLOW',
    swarmNativeId: null,
    name: 'Writer',
    type: 'coder',
    status: 'IDLE',
    capabilities: ['prose'],
    model: null,
    currentTaskNativeId: null,
    ...NOT_REPORTED,
    performance: null,
    neural: null,
    role: null,
    createdAt: new Date(REGISTERED_AT).toISOString(),
    lastActiveAt: null,
    stale: false,
  });
  expect(agentIn(report, 'a-1')).toMatchObject({ name: 'a-1', type: 'unknown', status: 'UNKNOWN', capabilities: [] });
  expect(report).toMatchObject({ swarms: [], edges: [], failures: [] });
  expect(rig.server.calls.map(({ tool }) => tool)).toEqual(['agent/list']);
  expect(rig.adapter.rejectedCount).toBe(0);
});

test('GatewayAdapter updates the last activity of an agent after an action', async () => {
  const rig = gateway();
  await rig.poll();
  const report = act(rig, { source_agent_id: 'a-2' });
  expect(shown(report, 'a-2')).toMatchObject({ status: 'IDLE', lastActiveAt: '2026-11-26T12:00:00.250Z' });
  expect(shown(report, 'a-1')).toMatchObject({ lastActiveAt: null });
  expect(agentIn(await rig.poll(), 'a-2').lastActiveAt).toBe('2026-11-26T12:00:00.250Z');
});

test.each([
  ['in the action', { status: 'busy' }],
  ['in its metadata', { metadata: { status: 'Busy' } }],
])('GatewayAdapter keeps a status %s until the list reports another one', async (_, event) => {
  const rig = gateway();
  await rig.poll();
  expect(shown(act(rig, { source_agent_id: 'a-2', ...event }), 'a-2').status).toBe('BUSY');
  expect(agentIn(await rig.poll(), 'a-2').status).toBe('BUSY');
  expect(shown(act(rig, { source_agent_id: 'a-2' }), 'a-2').status).toBe('BUSY');
  rig.server.answers.set('agent/list', { agents: [{ ...AGENTS[1], status: 'paused' }] });
  expect(agentIn(await rig.poll(), 'a-2').status).toBe('PAUSED');
});

test('GatewayAdapter adds an unlisted agent with its first action and removes it five minutes after its last', async () => {
  const rig = gateway();
  await rig.poll();
  expect(shown(act(rig, { source_agent_id: 4711 }), '4711')).toMatchObject({
    name: '4711',
    status: 'UNKNOWN',
    lastActiveAt: '2026-11-26T12:00:00.250Z',
    createdAt: null,
  });
  rig.clock.advance(299_999);
  act(rig, { source_agent_id: 4711 });
  rig.clock.advance(299_999);
  expect(agentIn(await rig.poll(), '4711').nativeId).toBe('4711');
  rig.clock.advance(1);
  expect((await rig.poll()).agents.map((one) => one.nativeId)).toEqual(['a-1', 'a-2']);
});

test('GatewayAdapter reports an agent once when it registers after its first action', async () => {
  const rig = gateway([]);
  await rig.poll();
  act(rig, { source_agent_id: 'a-2' });
  rig.server.answers.set('agent/list', { agents: [AGENTS[1]] });
  expect((await rig.poll()).agents).toMatchObject([{ name: 'Writer', lastActiveAt: '2026-11-26T12:00:00.250Z' }]);
});

test('GatewayAdapter keeps an action without reporting before the first list', async () => {
  const rig = gateway();
  expect(act(rig, { source_agent_id: 'a-2' })).toBeNull();
  expect(agentIn(await rig.poll(), 'a-2').lastActiveAt).toBe('2026-11-26T12:00:00.250Z');
});

test.each([
  ['without an agent', {}],
  ['of an agent whose id is no id', { source_agent_id: { a: 1 } }],
  ['of an agent with an empty id', { source_agent_id: '' }],
])('GatewayAdapter omits and counts an action %s', async (_, event) => {
  const rig = gateway();
  await rig.poll();
  expect(act(rig, event)).toBeNull();
  expect(rig.adapter.rejectedCount).toBe(1);
});

test('GatewayAdapter omits only the timestamp when it is malformed', async () => {
  const rig = gateway();
  await rig.poll();
  expect(shown(act(rig, { source_agent_id: 'a-1', timestamp: 'soon' }), 'a-1').lastActiveAt).toBeNull();
  expect(rig.adapter.rejectedCount).toBe(1);
});

test.each([
  { kind: 'NOTIFICATION', method: 'notifications/message', params: { source_agent_id: 'a-1' } } as const,
  { kind: 'CALL', tool: METHOD, args: {}, answer: { isError: false, value: {} } } as const,
])('GatewayAdapter ignores other events: $kind', async (push) => {
  const rig = gateway();
  await rig.poll();
  expect(rig.adapter.observe(push)).toBeNull();
  expect(rig.adapter.rejectedCount).toBe(0);
});

test('GatewayAdapter removes the longest inactive agents above its limit', async () => {
  const rig = gateway([]);
  await rig.poll();
  for (let id = 0; id < 1_500; id += 1) act(rig, { source_agent_id: id });
  const { agents } = await rig.poll();
  expect(agents).toHaveLength(1_000);
  expect(agents[0]?.nativeId).toBe('500');
});

test('for any responses and events of a gateway: reports are valid', async () => {
  const event = { source_agent_id: 'a-1', timestamp: ACTED_AT, status: 'busy', metadata: { status: 'idle' } };
  const answers = fc.oneof(mutationOf({ agents: AGENTS, count: 2 }), fc.jsonValue());
  const pushed = fc.array(fc.oneof(mutationOf({ type: 'agent_action', event }), fc.jsonValue()), { maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(answers, pushed, async (answer, all) => {
      const rig = rigOf('CLAUDE_FLOW', { 'agent/list': answer });
      assertSound(await rig.poll());
      for (const params of all) {
        const report = rig.adapter.observe({ kind: 'NOTIFICATION', method: METHOD, params });
        if (report !== null) assertSound(report);
      }
      rig.server.answers.set('agent/list', { agents: AGENTS });
      rig.clock.advance(400_000);
      const healed = await rig.poll();
      expect(healed.failures).toEqual([]);
      expect(healed.agents.map((one) => one.nativeId)).toEqual(['a-1', 'a-2']);
    }),
    runs(80),
  );
});
