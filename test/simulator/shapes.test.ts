import { describe, expect, test } from 'vitest';
import { differences } from './shape.js';
import { recordedAnswer, recording, Simulated } from './simulated.js';

type Arguments = Readonly<Record<string, unknown>>;
type Case = readonly [name: string, prepare?: (simulated: Simulated) => Arguments];

const used = (simulated: Simulated): Arguments => ({ agentId: busyAgent(simulated) });
const task = (simulated: Simulated): Arguments => ({ taskId: simulated.world.tasks('in_progress')[0]?.id });
const doneTask = (simulated: Simulated): Arguments => ({ taskId: simulated.world.tasks('completed')[0]?.id });

function busyAgent({ world }: Simulated): string | undefined {
  return world.livingAgents('plain').find(({ domain, state }) => state === 'busy' && domain !== null)?.id;
}

/** Creates a world whose history contains everything that the recordings show. */
function lived(type: 'claude-flow' | 'ruv-swarm'): Simulated {
  const simulated = new Simulated(type, { agents: 40 }).step(60);
  if (type === 'claude-flow') simulated.call('agent_update', { agentId: busyAgent(simulated), health: 0.2 });
  else simulated.call('memory_usage');
  return simulated;
}

const CLAUDE_FLOW: readonly Case[] = [
  ['agent_list'],
  ['agent_list.with-hive'],
  ['agent_list.busy', onlyBackendBusy],
  ['agent_list.terminated', () => ({ includeTerminated: true })],
  ['agent_status', used],
  ['agent_status.notfound'],
  ['agent_health'],
  ['agent_health.one', used],
  ['agent_spawn', () => ({ agentType: 'coder', agentId: 'mine' })],
  ['agent_spawn.badtype'],
  ['agent_spawn.missingarg'],
  ['agent_terminate', used],
  ['agent_update', (simulated) => ({ ...used(simulated), status: 'busy', health: 0.7, taskCount: 3 })],
  ['swarm_init'],
  ['swarm_status'],
  ['swarm_status.byId', ({ world }) => ({ swarmId: world.swarms[0]?.id })],
  ['swarm_health'],
  [
    'task_create',
    (simulated) => ({ type: 'feature', description: 'x', assignTo: [busyAgent(simulated)], tags: ['y'] }),
  ],
  ['task_list'],
  ['task_status', (simulated) => ({ taskId: taggedTask(simulated) })],
  ['task_status.notfound'],
  ['task_assign', (simulated) => ({ ...task(simulated), agentIds: [busyAgent(simulated)] })],
  ['task_complete', (simulated) => ({ ...task(simulated), result: { ok: true } })],
  ['task_update', (simulated) => ({ ...task(simulated), status: 'in_progress', progress: 40 })],
  ['task_summary'],
  ['hive-mind_status'],
  ['hive-mind_status.verbose', () => ({ verbose: true })],
  ['hive-mind_init'],
  ['hive-mind_spawn'],
  ['daa_agent_create', () => ({ id: 'mine', capabilities: ['plan'] })],
  ['daa_learning_status'],
  ['daa_learning_status.one', () => ({ agentId: 'daa-1' })],
  ['daa_learning_status.notfound'],
  ['daa_cognitive_pattern'],
  ['daa_cognitive_pattern.one', () => ({ agentId: 'daa-1', action: 'analyze' })],
  ['coordination_topology'],
  ['system_status'],
  ['system_status.verbose', () => ({ verbose: true })],
];

/** Makes an agent with a domain busy, like the only busy agent of the recording. */
function onlyBackendBusy(simulated: Simulated): Arguments {
  for (const { id, domain } of simulated.world.livingAgents('plain')) {
    if (domain === null) simulated.call('agent_update', { agentId: id, status: 'idle' });
  }
  return { status: 'busy' };
}

function taggedTask(simulated: Simulated): unknown {
  const created = simulated.call<{ taskId: string }>('task_create', { type: 'feature', description: 'x', tags: ['y'] });
  simulated.call('task_assign', { taskId: created.taskId, agentIds: [busyAgent(simulated)] });
  return created.taskId;
}

const RUV_SWARM: readonly Case[] = [
  ['swarm_init'],
  ['swarm_status'],
  ['swarm_status.twoSwarms'],
  ['swarm_status.byId', ({ world }) => ({ swarmId: world.swarms[0]?.id })],
  ['agent_spawn'],
  ['agent_list'],
  ['agent_list.idle', () => ({ filter: 'idle' })],
  ['agent_list.bySwarm1', ({ world }) => ({ swarmId: world.swarms[0]?.id })],
  ['task_orchestrate'],
  ['task_status'],
  ['task_status.one', task],
  ['task_results', doneTask],
  ['task_results.detailed', (simulated) => ({ ...doneTask(simulated), format: 'detailed' })],
  ['memory_usage'],
  ['memory_usage.by-agent', () => ({ detail: 'by-agent' })],
  ['memory_usage.detailed', () => ({ detail: 'detailed' })],
  ['neural_status'],
  ['neural_status.one', ({ world }) => ({ agentId: world.livingAgents()[0]?.id })],
  ['features_detect'],
  ['daa_init'],
  ['daa_agent_create'],
  ['daa_learning_status'],
  ['daa_learning_status.detailed', () => ({ detailed: true })],
];

const TABLE = [
  ...CLAUDE_FLOW.map(([name, prepare]) => ({ server: 'claude-flow' as const, name, prepare })),
  ...RUV_SWARM.map(([name, prepare]) => ({ server: 'ruv-swarm' as const, name, prepare })),
];

describe('results of a simulator after many steps', () => {
  test.each(TABLE)('have the keys and types of the recording: $server $name', ({ server, name, prepare }) => {
    const simulated = lived(server);
    const [tool = ''] = name.split('.');
    const args = prepare?.(simulated) ?? recording(server, name).input;
    const answer = simulated.call(tool, args);
    expect(differences(recordedAnswer(server, name), answer, ['runtime_info.tool_metrics'])).toEqual([]);
  });

  test('are compared with a recording for every tool that can succeed', () => {
    const held = new Set(TABLE.map(({ server, name }) => `${server} ${name.split('.')[0] ?? ''}`));
    const simulated = (['claude-flow', 'ruv-swarm'] as const).flatMap((type) =>
      new Simulated(type).toolNames.map((name) => `${type} ${name}`),
    );
    expect(simulated.filter((name) => !held.has(name))).toEqual(['ruv-swarm swarm_monitor', 'ruv-swarm agent_metrics']);
  });
});

describe('simulated world without agents', () => {
  test.each([
    ['claude-flow', 'agent_list', 'agent_list.empty'],
    ['claude-flow', 'agent_health', 'agent_health.empty'],
    ['claude-flow', 'task_list', 'task_list.empty'],
    ['claude-flow', 'hive-mind_status', 'hive-mind_status.empty'],
    ['claude-flow', 'daa_learning_status', 'daa_learning_status.empty'],
    ['ruv-swarm', 'agent_list', 'agent_list.empty'],
    ['ruv-swarm', 'agent_metrics', 'agent_metrics.empty'],
    ['ruv-swarm', 'task_status', 'task_status.empty'],
  ] as const)('%s answers %s as recorded', (server, tool, fixture) => {
    const answer = new Simulated(server, { agents: 0 }).step(5).call(tool);
    expect(differences(recordedAnswer(server, fixture), answer)).toEqual([]);
    expect(differences(answer, recordedAnswer(server, fixture))).toEqual([]);
  });
});

describe('simulated ruv-swarm', () => {
  test.each([
    ['swarm_status', 'swarm_status.empty'],
    ['swarm_monitor', 'swarm_monitor'],
    ['agent_metrics', 'agent_metrics'],
    ['agent_metrics', 'agent_metrics.unknown-error'],
    ['task_status', 'task_status.unknown-error'],
  ])('rejects %s as in the recording %s', (tool, fixture) => {
    const { input, response } = recording('ruv-swarm', fixture);
    const { error } = response.error?.data as { error: string }; // as recorded
    expect(() => new Simulated('ruv-swarm').text(tool, input)).toThrow(error);
  });
});
