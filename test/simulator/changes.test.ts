import { describe, expect, test } from 'vitest';
import { Simulated } from './simulated.js';

interface Listed {
  readonly agents: readonly Readonly<Record<string, unknown>>[];
}

describe('simulated claude-flow', () => {
  test('lists a spawned agent, which works and never ends by itself', () => {
    const simulated = new Simulated('claude-flow');
    simulated.call('agent_spawn', { agentType: 'tester', agentId: 'mine', domain: 'edge' });
    expect(simulated.call<Listed>('agent_list', { domain: 'edge' }).agents).toHaveLength(1);
    simulated.step(600);
    const mine = simulated.call<Record<string, unknown>>('agent_status', { agentId: 'mine' });
    expect(mine['status']).not.toBe('terminated');
    expect(mine['taskCount']).toBeGreaterThan(0);
  });

  test('lists a terminated agent only on request and removes it later', () => {
    const simulated = new Simulated('claude-flow');
    simulated.call('agent_spawn', { agentType: 'tester', agentId: 'mine' });
    simulated.call('agent_terminate', { agentId: 'mine' });
    const ids = (args: object): unknown[] =>
      simulated.call<Listed>('agent_list', args).agents.map((one) => one['agentId']);
    expect(ids({})).not.toContain('mine');
    expect(ids({ includeTerminated: true })).toContain('mine');
    simulated.step(50);
    expect(ids({ includeTerminated: true })).not.toContain('mine');
  });

  test('makes the agent of an assigned task active and counts the completed task', () => {
    const simulated = new Simulated('claude-flow');
    simulated.call('agent_spawn', { agentType: 'coder', agentId: 'mine' });
    const { taskId } = simulated.call<{ taskId: string }>('task_create', { type: 'feature', description: 'x' });
    simulated.call('task_assign', { taskId, agentIds: ['mine'] });
    expect(simulated.call('agent_status', { agentId: 'mine' })).toMatchObject({ status: 'active' });
    simulated.call('task_complete', { taskId });
    expect(simulated.call('agent_status', { agentId: 'mine' })).toMatchObject({ status: 'idle', taskCount: 1 });
  });

  test('makes a task pending when its agent gets another one', () => {
    const simulated = new Simulated('claude-flow');
    simulated.call('agent_spawn', { agentType: 'coder', agentId: 'mine' });
    const create = (): string =>
      simulated.call<{ taskId: string }>('task_create', { type: 'x', description: 'x' }).taskId;
    const [first, second] = [create(), create()];
    simulated.call('task_assign', { taskId: first, agentIds: ['mine'] });
    simulated.call('task_assign', { taskId: second, agentIds: ['mine'] });
    expect(simulated.call('task_status', { taskId: first })).toMatchObject({ status: 'pending', assignedTo: [] });
  });

  test('keeps a custom status until the next turn of the agent', () => {
    const simulated = new Simulated('claude-flow', { agents: 4 });
    simulated.call('agent_spawn', { agentType: 'coder', agentId: 'mine' });
    simulated.call('agent_update', { agentId: 'mine', status: 'thinking' });
    expect(simulated.call('agent_status', { agentId: 'mine' })).toMatchObject({ status: 'thinking' });
    simulated.step(200);
    expect(simulated.call('agent_status', { agentId: 'mine' })).not.toMatchObject({ status: 'thinking' });
  });

  test('lists the newest 50 tasks without a limit and reports them as the total', () => {
    const simulated = new Simulated('claude-flow', { agents: 0 });
    for (let count = 0; count < 60; count += 1) simulated.call('task_create', { type: 'x', description: `${count}` });
    const { tasks, total } = simulated.call<{ tasks: { description: string }[]; total: number }>('task_list');
    expect([tasks.length, total, tasks[0]?.description]).toEqual([50, 50, '59']);
    expect(simulated.call<{ total: number }>('task_list', { limit: 1000 }).total).toBe(60);
  });

  test('reports the newest of two swarms', () => {
    const simulated = new Simulated('claude-flow');
    const { swarmId } = simulated.call<{ swarmId: string }>('swarm_init', { topology: 'mesh' });
    expect(simulated.call('swarm_status')).toMatchObject({ swarmId, topology: 'mesh', agentCount: 0, totalSwarms: 2 });
  });

  test('adds spawned workers to the hive', () => {
    const simulated = new Simulated('claude-flow');
    simulated.call('hive-mind_spawn', { count: 2, prefix: 'extra' });
    const { workers } = simulated.call<{ workers: { id: string }[] }>('hive-mind_status');
    expect(workers.filter(({ id }) => id.startsWith('extra-'))).toHaveLength(2);
  });
});

describe('simulated ruv-swarm', () => {
  test('adds a spawned agent to the first swarm only', () => {
    const simulated = new Simulated('ruv-swarm');
    const { agent } = simulated.call<{ agent: { id: string } }>('agent_spawn', { type: 'coder', name: 'mine' });
    const [first, second] = simulated.world.swarms.map(({ id }) =>
      simulated.call<Listed>('agent_list', { swarmId: id }).agents.map((one) => one['id']),
    );
    expect(first).toContain(agent.id);
    expect(second).not.toContain(agent.id);
  });

  test('fails swarm_status until memory_usage was called', () => {
    const simulated = new Simulated('ruv-swarm');
    expect(() => simulated.text('swarm_status')).toThrow('getGlobalMetrics');
    simulated.call('memory_usage');
    expect(simulated.call('swarm_status')).toMatchObject({ active_swarms: 2, global_metrics: { totalAgents: 20 } });
  });

  test('runs an orchestrated task on its agents until it ends', () => {
    const simulated = new Simulated('ruv-swarm', { agents: 4 });
    const { taskId } = simulated.call<{ taskId: string }>('task_orchestrate', { task: 'Write a parser' });
    expect(simulated.call('task_status', { taskId })).toMatchObject({ status: 'in_progress' });
    simulated.step(40);
    expect(simulated.world.task(taskId)?.endedAtMs).not.toBeNull();
  });
});

describe('simulated DAA server', () => {
  const spawned = (simulated: Simulated): string =>
    simulated.text('spawn_agent', { config: { name: 'mine', agent_type: 'treasury' } }).split(': ')[1] ?? '';

  test('starts a spawned agent, which runs later', () => {
    const simulated = new Simulated('daa');
    const id = spawned(simulated);
    expect(simulated.call('get_agent_info', { agent_id: id })).toMatchObject({ name: 'mine', status: 'starting' });
    simulated.step(100);
    expect(simulated.call('get_agent_info', { agent_id: id })).not.toMatchObject({ status: 'starting' });
  });

  test('keeps a paused agent paused until it is resumed', () => {
    const simulated = new Simulated('daa', { agents: 3 });
    const id = spawned(simulated);
    simulated.text('pause_agent', { agent_id: id });
    simulated.step(200);
    expect(simulated.call('get_agent_info', { agent_id: id })).toMatchObject({ status: 'paused' });
    simulated.text('resume_agent', { agent_id: id });
    expect(simulated.call('get_agent_info', { agent_id: id })).toMatchObject({ status: 'running' });
  });

  test('lists a stopped agent for a while', () => {
    const simulated = new Simulated('daa');
    const id = spawned(simulated);
    simulated.text('stop_agent', { agent_id: id });
    expect(simulated.call('get_agent_info', { agent_id: id })).toMatchObject({ status: 'stopped' });
    simulated.step(50);
    expect(() => simulated.text('get_agent_info', { agent_id: id })).toThrow('Agent not found');
  });

  test('creates, assigns and cancels tasks', () => {
    const simulated = new Simulated('daa');
    const agentId = spawned(simulated);
    const taskId = simulated.text('create_task', { task_type: 'analysis', description: 'x' }).split(': ')[1] ?? '';
    simulated.text('assign_task', { task_id: taskId, agent_ids: [agentId] });
    const find = (): unknown =>
      simulated
        .call<{ tasks: { task: { id: string; assigned_agents: string[] }; status: string }[] }>('list_tasks')
        .tasks.find(({ task }) => task.id === taskId);
    expect(find()).toMatchObject({ task: { assigned_agents: [agentId] }, status: 'running' });
    simulated.text('cancel_task', { task_id: taskId });
    expect(find()).toMatchObject({ status: 'cancelled' });
  });
});

describe.each(['claude-flow', 'ruv-swarm', 'daa'] as const)('simulated %s', (type) => {
  test.each([
    null,
    7,
    'text',
    [],
    { agentId: 7, taskId: {}, count: 1e12, limit: -1, filter: 3, config: [], agentIds: 1 },
  ])('answers or rejects every tool called with %j and keeps working', (args) => {
    const simulated = new Simulated(type);
    for (const name of simulated.toolNames) {
      try {
        simulated.text(name, args);
      } catch (error) {
        expect((error as Error).name).toMatch(/^(ToolCallError|ZodError|\$ZodError)$/);
      }
    }
    simulated.step(100);
    expect(simulated.world.livingAgents().length).toBeLessThan(50);
  });
});
