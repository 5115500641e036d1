import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ToolPolicy } from '../../src/tap/tool-policy.js';

const call = (name: unknown, args: unknown = {}): { method: string; params: unknown } => ({
  method: 'tools/call',
  params: { name, arguments: args },
});

/** Policy of a server that annotates its tools. */
function policyFor(hints: Readonly<Record<string, unknown>>, allowTools: readonly string[] = []): ToolPolicy {
  const policy = new ToolPolicy(allowTools);
  const tools = Object.entries(hints).map(([name, readOnlyHint]) => ({ name, annotations: { readOnlyHint } }));
  policy.recordTools({ method: 'tools/list', params: {} }, { tools });
  return policy;
}

describe('ToolPolicy', () => {
  test.each([
    ['agent_list', {}],
    ['agent_list', { swarmId: 's' }],
    ['swarm_status', undefined],
    ['task_list', { limit: 100 }],
    ['daa_cognitive_pattern', { agentId: 'a', action: 'analyze' }],
    ['list_agents', {}],
  ])('permits the reading call %s %j', (name, args) => {
    expect(policyFor({}).findRefusal(call(name, args))).toBeNull();
  });

  test.each([
    ['daa_cognitive_pattern', { agentId: 'a', action: 'change', pattern: 'x' }],
    ['daa_cognitive_pattern', { agentId: 'a' }],
    ['memory_usage', { action: 'store', key: 'a', value: 'b' }],
    ['agent_list', { swarmId: 's', then: 'delete' }],
    ['agent_list', ['x']],
    ['agent_list', 'x'],
    ['agent_list', JSON.parse('{"__proto__": 1}')],
    ['agent_spawn', {}],
    ['AGENT_LIST', {}],
    [' agent_list', {}],
    ['constructor', {}],
    ['__proto__', {}],
    [7, {}],
    [undefined, {}],
  ])('refuses the call %s %j', (name, args) => {
    expect(policyFor({}).findRefusal(call(name, args))).toContain('--allow-tools');
  });

  test.each([
    'initialize',
    'resources/read',
    'prompts/get',
    'sampling/createMessage',
    'logging/setLevel',
    'tools/CALL',
    '',
  ])('refuses the method %j', (method) => {
    expect(policyFor({}).findRefusal({ method, params: { name: 'agent_list' } })).toContain(
      'does not allow the method',
    );
  });

  test('permits a tool with readOnlyHint, and no reading tool whose server denies the hint', () => {
    const policy = policyFor({ look: true, agent_list: false, touch: false, odd: 'true' });
    expect(policy.findRefusal(call('look', { any: 1 }))).toBeNull();
    for (const name of ['agent_list', 'touch', 'odd']) expect(policy.findRefusal(call(name))).not.toBeNull();
    expect(policy.findRefusal(call('swarm_status'))).toBeNull();
  });

  test('forgets the annotations of a previous list, but not of a previous page', () => {
    const policy = policyFor({ look: true });
    const page = { tools: [{ name: 'more', annotations: { readOnlyHint: true } }] };
    policy.recordTools({ method: 'tools/list', params: { cursor: '2' } }, page);
    expect([policy.findRefusal(call('look')), policy.findRefusal(call('more'))]).toEqual([null, null]);
    policy.recordTools({ method: 'tools/list', params: {} }, page);
    expect(policy.findRefusal(call('look'))).not.toBeNull();
  });

  test('permits an allowed tool with any arguments although its server denies the hint', () => {
    const policy = policyFor({ agent_spawn: false }, ['agent_spawn']);
    expect(policy.findRefusal(call('agent_spawn', { type: 'coder' }))).toBeNull();
    expect(policy.findRefusal(call('agent_spawn2'))).not.toBeNull();
  });

  test('for any request: decides without an error', () => {
    fc.assert(
      fc.property(fc.string(), fc.anything(), fc.anything(), (method, params, result) => {
        const policy = new ToolPolicy([]);
        policy.recordTools({ method: 'tools/list', params }, result);
        policy.findRefusal({ method: 'tools/call', params });
        const isPermitted = policy.findRefusal({ method, params }) === null;
        expect(isPermitted).toBe(method === 'ping' || method === 'tools/list');
      }),
    );
  });
});
