import { describe, expect, test } from 'vitest';
import { ToolCallTimeoutError, ToolRejectedError, TransportError } from '../../src/mcp/index.js';
import { agentIn, DAA_ANSWERS, FLOW_ANSWERS, recorded, rigOf, RUV_ANSWERS } from './fake-server.js';

const REFUSED = new ToolRejectedError('not today', -32603);

const FAILED_ANSWERS = [
  ['a JSON-RPC error', REFUSED, 'not today'],
  ['{success:false}', recorded('claude-flow', 'daa_learning_status.notfound'), 'Agent not found'],
  ['status not_found', recorded('claude-flow', 'task_status.notfound'), 'Task not found'],
  ['status error', { status: 'error' }, 'The tool reports error'],
  [
    'an error beside an empty list',
    { agents: [], total: 0, error: 'Input validation failed' },
    'Input validation failed',
  ],
  ['text', 'Segmentation fault', 'Unexpected response: result: Invalid input: expected object, received string'],
  ['another shape', { items: [] }, 'Unexpected response: tasks: Invalid input: expected array, received undefined'],
] as const;

describe.each(FAILED_ANSWERS)('%s', (_, answer, message) => {
  test('clears only the fields of an enrichment tool', async () => {
    const rig = rigOf('CLAUDE_FLOW', FLOW_ANSWERS);
    await rig.poll();
    rig.server.answers.set('task_list', answer);
    rig.clock.advance(100);
    const report = await rig.poll();

    expect(report.failures).toEqual([{ tool: 'task_list', message }]);
    expect(agentIn(report, 'coder-1')).toMatchObject({
      stale: false,
      swarmNativeId: 'swarm-1795446176450-0jotbb',
      performance: { healthScore: 0.7, tasksActive: null, tasksCompleted: null, tasksFailed: null },
    });
  });
});

test('marks only the agents of a failing list as stale and keeps their values', async () => {
  const rig = rigOf('CLAUDE_FLOW', FLOW_ANSWERS);
  const before = await rig.poll();
  rig.server.answers.set('agent_list', REFUSED);
  rig.clock.advance(100);
  const after = await rig.poll();

  expect(after.failures).toEqual([{ tool: 'agent_list', message: 'not today' }]);
  expect(agentIn(after, 'coder-1')).toEqual({ ...agentIn(before, 'coder-1'), stale: true });
  expect(after.agents.filter((agent) => !agent.stale).map((agent) => agent.nativeId)).toEqual([
    'queen-1',
    'daa-1',
    'daa-2',
  ]);
});

test.each(['hive-mind_status', 'daa_learning_status', 'swarm_status'])(
  'marks only the entries of %s as stale when it fails',
  async (tool) => {
    const rig = rigOf('CLAUDE_FLOW', FLOW_ANSWERS);
    const before = await rig.poll();
    rig.server.answers.set(tool, REFUSED);
    rig.clock.advance(100);
    const after = await rig.poll();

    expect(after.agents.map((agent) => agent.nativeId)).toEqual(before.agents.map((agent) => agent.nativeId));
    const stale = [...after.agents, ...after.swarms].filter((one) => one.stale).map((one) => one.nativeId);
    expect(stale).toEqual(
      {
        'hive-mind_status': ['queen-1', 'hive-1795446176646'],
        daa_learning_status: ['daa-1', 'daa-2'],
        swarm_status: ['swarm-1795446176450-0jotbb'],
      }[tool],
    );
    expect(agentIn(after, 'coder-1').swarmNativeId).toBe('swarm-1795446176450-0jotbb');
  },
);

test.each([
  ['RUV_SWARM', RUV_ANSWERS, 'agent_list'],
  ['DAA', DAA_ANSWERS, 'list_agents'],
] as const)(
  'the adapter of a %s server keeps its agents as stale when their list fails',
  async (type, answers, tool) => {
    const rig = rigOf(type, answers);
    const before = await rig.poll();
    rig.server.answers.set(tool, REFUSED);
    rig.clock.advance(100);
    const after = await rig.poll();

    expect(after.agents).toEqual(before.agents.map((agent) => ({ ...agent, stale: true })));
    expect(after.failures).toEqual([{ tool, message: 'not today' }]);
  },
);

test('PolledTool retries a failing tool after 1, 2, 4, … 30 seconds and reports the failure meanwhile', async () => {
  const rig = rigOf('DAA', { ...DAA_ANSWERS, list_tasks: REFUSED });
  for (let second = 0; second < 130; second += 1) {
    expect((await rig.poll()).failures).toHaveLength(1);
    rig.clock.advance(1000);
  }

  const asked = rig.server.calls.filter((call) => call.tool === 'list_tasks').map((call) => call.atMs / 1000);
  expect(asked).toEqual([0, 1, 3, 7, 15, 31, 61, 91, 121]);
});

test('PolledTool resets its backoff after a good result', async () => {
  const rig = rigOf('DAA', { ...DAA_ANSWERS, list_tasks: REFUSED });
  await rig.poll();
  rig.clock.advance(1000);
  await rig.poll();
  rig.server.answers.set('list_tasks', DAA_ANSWERS.list_tasks);
  rig.clock.advance(2000);
  expect((await rig.poll()).failures).toEqual([]);

  rig.server.answers.set('list_tasks', REFUSED);
  rig.clock.advance(100);
  await rig.poll();
  rig.clock.advance(1000);
  await rig.poll();
  expect(rig.server.timesAsked('list_tasks')).toBe(5);
});

test.each([
  ['CLAUDE_FLOW', FLOW_ANSWERS, 'agent_list'],
  ['CLAUDE_FLOW', FLOW_ANSWERS, 'task_list'],
  ['CLAUDE_FLOW', FLOW_ANSWERS, 'daa_cognitive_pattern'],
  ['RUV_SWARM', RUV_ANSWERS, 'memory_usage'],
  ['RUV_SWARM', RUV_ANSWERS, 'swarm_status'],
  ['DAA', DAA_ANSWERS, 'list_tasks'],
] as const)(
  'the adapter of a %s server rejects the poll with the transport error of a tool: $2',
  async (type, answers, tool) => {
    const error = new TransportError('gone');

    await expect(rigOf(type, { ...answers, [tool]: error }).poll()).rejects.toBe(error);
  },
);

test('settleAll leaves no call running when one call fails', async () => {
  const rig = rigOf('RUV_SWARM', { ...RUV_ANSWERS, swarm_status: new TransportError('gone') });
  let answerTasks: (value: unknown) => void = () => undefined;
  rig.server.answers.set('task_status', () => new Promise((resolve) => (answerTasks = resolve)));
  let ended = false;
  const poll = rig.poll().finally(() => (ended = true));
  await new Promise((resolve) => setImmediate(resolve));
  expect(ended).toBe(false);

  answerTasks(RUV_ANSWERS.task_status);
  await expect(poll).rejects.toThrow('gone');
});

test('PolledTool backs off after a timeout, so that the next poll succeeds without it', async () => {
  const rig = rigOf('DAA', { ...DAA_ANSWERS, list_tasks: new ToolCallTimeoutError('no answer in 3000 ms') });
  await expect(rig.poll()).rejects.toThrow('no answer');
  rig.clock.advance(100);

  expect((await rig.poll()).failures).toEqual([{ tool: 'list_tasks', message: 'no answer in 3000 ms' }]);
});

test('PolledTool calls the main list at every poll even after timeouts', async () => {
  const rig = rigOf('DAA', { ...DAA_ANSWERS, list_agents: new ToolCallTimeoutError('no answer in 3000 ms') });
  await expect(rig.poll()).rejects.toThrow('no answer');
  await expect(rig.poll()).rejects.toThrow('no answer');

  expect(rig.server.timesAsked('list_agents')).toBe(2);
});

test('an adapter rejects an aborted poll without calls', async () => {
  const rig = rigOf('CLAUDE_FLOW', FLOW_ANSWERS);

  await expect(rig.adapter.poll(AbortSignal.abort(new Error('stopping')))).rejects.toThrow('stopping');
  expect(rig.server.calls).toEqual([]);
});

test('PolledTool shortens a failure message to one line', async () => {
  const message = `${'x'.repeat(500)}\u0007\n`;
  const report = await rigOf('DAA', { ...DAA_ANSWERS, list_tasks: new ToolRejectedError(message, -32603) }).poll();

  expect(report.failures).toEqual([{ tool: 'list_tasks', message: 'x'.repeat(300) }]);
});
