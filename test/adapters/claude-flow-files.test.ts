import { mkdir, mkdtemp, readFile, rename, rm, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { TemporaryDirectory } from '../support/temporary-directory.js';
import { expectUnchanged, FIRST, Project, rigIn, SECOND, SWARM_FILE, TOOLS } from './claude-flow-project.js';
import { agentIn } from './fake-server.js';

describe('ClaudeFlowAdapter with the state files of the project', () => {
  test('reports the exact members of each swarm', async () => {
    await using project = await Project.create();
    const report = await rigIn(project.root).poll();
    expect(report.agents.map(({ nativeId, swarmNativeId }) => [nativeId, swarmNativeId])).toEqual([
      [expect.stringMatching(/^worker-/), 'hive-1795952380921'],
      [expect.stringMatching(/^worker-/), 'hive-1795952380921'],
      ['early', null],
      ['in-first', FIRST],
      ['in-second', SECOND],
      ['queen-1', 'hive-1795952380921'],
      ['daa-1', null],
    ]);
    expect(report).not.toHaveProperty('limitation');
  });

  test('reports the status of terminated swarms', async () => {
    await using project = await Project.create();
    const { swarms } = await rigIn(project.root).poll();
    expect(swarms).toMatchObject([
      { nativeId: FIRST, status: 'terminated', topologyName: 'mesh', maxAgents: 5, strategy: 'specialized' },
      { nativeId: SECOND, status: 'running', topologyName: 'ring', maxAgents: 6 },
      { status: 'active', topologyName: 'mesh' },
    ]);
  });

  test('reports model and current task of an agent', async () => {
    await using project = await Project.create();
    await project.edit('agents/store.json', 'agents', (agents) => {
      Object.assign(agents['early'] ?? {}, { modelId: 'claude-opus-4-8' });
    });
    const report = await rigIn(project.root).poll();
    expect(agentIn(report, 'in-first')).toMatchObject({
      model: 'haiku',
      currentTaskNativeId: expect.stringMatching(/^task-/),
    });
    expect(agentIn(report, 'early')).toMatchObject({ model: 'claude-opus-4-8', currentTaskNativeId: null });
  });

  test('reports the tasks of the task store, the newest first', async () => {
    await using project = await Project.create();
    const { tasks } = await rigIn(project.root).poll();
    const common = { serverType: 'CLAUDE_FLOW', swarmNativeId: null, dependsOnNativeIds: [], stale: false } as const;
    expect(tasks).toEqual([
      {
        ...common,
        nativeId: 'task-1795952381899-ic2umy',
        title: 'test it',
        status: 'COMPLETED',
        agentNativeIds: ['in-second'],
        createdAt: '2026-11-29T11:39:41.899Z',
        startedAt: null,
        endedAt: '2026-11-29T11:39:41.924Z',
      },
      {
        ...common,
        nativeId: 'task-1795952381892-7wim7h',
        title: 'build it',
        status: 'IN_PROGRESS',
        agentNativeIds: ['in-first'],
        createdAt: '2026-11-29T11:39:41.892Z',
        startedAt: '2026-11-29T11:39:41.896Z',
        endedAt: null,
      },
    ]);
  });

  test('counts only tasks of the task store, not executions', async () => {
    await using project = await Project.create();
    const report = await rigIn(project.root).poll();
    const countsOf = (id: string): unknown => agentIn(report, id).performance;
    expect(countsOf('in-first')).toMatchObject({ tasksActive: 1, tasksCompleted: 0, tasksFailed: 0 });
    // One task was completed, and one execution failed. The server counts both.
    expect(countsOf('in-second')).toMatchObject({ tasksActive: 0, tasksCompleted: 1, tasksFailed: 0 });
    // Its only execution failed, without a task.
    expect(countsOf('early')).toMatchObject({ tasksActive: 0, tasksCompleted: null, tasksFailed: null });
  });

  test('reports name, type and pattern of DAA agents', async () => {
    await using project = await Project.create();
    const report = await rigIn(project.root).poll();
    expect(agentIn(report, 'daa-1')).toMatchObject({
      serverType: 'DAA',
      name: 'Dee',
      type: 'analyst',
      neural: { cognitivePattern: 'systems', learningRate: 0.01 },
    });
  });

  test('calls no tool except the agent list', async () => {
    await using project = await Project.create();
    const rig = rigIn(project.root);
    for (let round = 0; round < 5; round += 1) {
      await rig.poll();
      rig.clock.advance(1_000);
    }
    expect(new Set(rig.server.calls.map(({ tool }) => tool))).toEqual(new Set(['agent_list']));
  });

  test('leaves every file unchanged after many polls of old, foreign and terminated swarms', async () => {
    await expectUnchanged(500);
  });

  test('reports a change in the next poll', async () => {
    await using project = await Project.create();
    const rig = rigIn(project.root);
    await rig.poll();
    await project.edit(SWARM_FILE, 'swarms', (swarms) => {
      Object.assign(swarms[SECOND] ?? {}, { status: 'terminated' });
    });
    expect((await rig.poll()).swarms[1]).toMatchObject({ status: 'terminated' });
  });

  test('reports a change that left size and time of the file unchanged after two seconds', async () => {
    await using project = await Project.create();
    const time = new Date('2026-11-29T12:00:00Z');
    await utimes(project.path(SWARM_FILE), time, time);
    const rig = rigIn(project.root);
    await rig.poll();
    const content = await readFile(project.path(SWARM_FILE), 'utf8');
    await writeFile(project.path(SWARM_FILE), content.replace('"ring"', '"star"'));
    await utimes(project.path(SWARM_FILE), time, time);
    rig.clock.advance(2_000);
    expect((await rig.poll()).swarms[1]).toMatchObject({ topologyName: 'star' });
  });

  test.each([
    ['half-written', async (path: string) => truncate(path, 300)],
    ['empty', async (path: string) => truncate(path, 0)],
  ])('keeps the last state while a file is %s', async (_title, damage) => {
    await using project = await Project.create();
    const rig = rigIn(project.root);
    const before = await rig.poll();
    for (const file of [SWARM_FILE, 'agents/store.json', 'tasks/store.json', 'hive-mind/state.json', 'daa/store.json'])
      await damage(project.path(file));
    // Reading the same half-written files, the server lists no agents.
    rig.server.answers.set('agent_list', { agents: [], total: 0 });
    rig.clock.advance(20);
    expect(await rig.poll()).toEqual(before);
  });

  test.each([
    ['stays half-written', async (path: string) => truncate(path, 300), 'The file is not valid JSON'],
    ['has another shape', async (path: string) => writeFile(path, '[]'), 'Unexpected response: not an object'],
    [
      'contains a list instead of an object',
      async (path: string) => writeFile(path, '{"swarms": []}'),
      'Unexpected content: swarms: not an object',
    ],
    [
      'contains no usable entry',
      async (path: string) => writeFile(path, '{"swarms": {"a": {"status": "running"}, "b": 7}}'),
      expect.stringMatching(/^None of the 2 entries is usable: swarms/),
    ],
    ['is huge', async (path: string) => truncate(path, 11 * 1024 * 1024), 'is larger than 10485760 bytes'],
    [
      'is a directory',
      async (path: string) => {
        await rm(path);
        await mkdir(path);
      },
      'is not a regular file',
    ],
    [
      'is a link to itself',
      async (path: string) => {
        await rm(path);
        await symlink(path, path);
      },
      expect.stringMatching(/^ELOOP/),
    ],
    [
      'is a link to a device',
      async (path: string) => {
        await rm(path);
        await symlink('/dev/zero', path);
      },
      'is not a regular file',
    ],
  ])('reports a failure and keeps the swarms as stale when the file %s', async (_title, damage, message) => {
    await using project = await Project.create();
    const rig = rigIn(project.root);
    const before = await rig.poll();
    await damage(project.path(SWARM_FILE));
    await rig.poll();
    rig.clock.advance(2_000);
    const after = await rig.poll();
    expect(after.failures).toEqual([{ tool: `.claude-flow/${SWARM_FILE}`, message }]);
    expect(after.swarms.slice(0, 2)).toEqual(before.swarms.slice(0, 2).map((swarm) => ({ ...swarm, stale: true })));
    expect(after.agents).toEqual(before.agents);
  });

  test('reports a part of the entries as an omission when the others are malformed', async () => {
    await using project = await Project.create();
    await project.edit(SWARM_FILE, 'swarms', (swarms) => {
      Object.assign(swarms, { broken: { status: 'running' } });
    });
    const report = await rigIn(project.root).poll();
    expect(report.omissions).toEqual([
      {
        tool: `.claude-flow/${SWARM_FILE}`,
        message: expect.stringMatching(/^Omitted 1 of 3 entries, most recently: swarms/),
      },
    ]);
    expect(report.swarms).toHaveLength(3);
  });

  test('reports no swarms when the file disappears', async () => {
    await using project = await Project.create();
    const rig = rigIn(project.root);
    await rig.poll();
    await rename(project.path(SWARM_FILE), project.path('elsewhere.json'));
    expect((await rig.poll()).swarms).toHaveLength(1);
  });

  test('follows links to the files, as the server does', async () => {
    await using project = await Project.create();
    const elsewhere = await mkdtemp(join(dirname(project.root), 'swarmlens-test-'));
    await rename(project.path('swarm'), join(elsewhere, 'swarm'));
    await symlink(join(elsewhere, 'swarm'), project.path('swarm'));
    expect((await rigIn(project.root).poll()).swarms).toHaveLength(3);
    await rm(elsewhere, { recursive: true });
  });
});

describe('ClaudeFlowAdapter without the state files of the server', () => {
  const OTHER = { agents: [{ agentId: 'other', agentType: 'coder', status: 'idle', health: 1, taskCount: 2 }] };

  test.each([
    ['on another machine', null, 'not on this machine'],
    ['absent', '', 'there are no state files'],
  ])('reports unknown swarms with the reason when the files are %s', async (_title, directory, reason) => {
    await using empty = await TemporaryDirectory.create();
    const rig = rigIn(directory === null ? null : empty.root);
    const report = await rig.poll();
    expect(report.swarms).toEqual([]);
    expect(agentIn(report, 'in-first')).toMatchObject({ swarmNativeId: null, model: null, currentTaskNativeId: null });
    expect(report.limitation).toContain(reason);
    expect(report.failures).toEqual([]);
    expect(rig.server.timesAsked('swarm_status')).toBe(0);
  });

  test('reports the agents of the server when the files are those of another one', async () => {
    await using project = await Project.create();
    const rig = rigIn(project.root, { ...TOOLS, agent_list: OTHER });
    const report = await rig.poll();
    expect(report.agents.map(({ nativeId }) => nativeId)).toEqual(['other']);
    expect(report.swarms).toEqual([]);
    expect(report.limitation).toContain('list other agents than the server');
  });

  test('reports the failure of a file when the agents could never be read', async () => {
    await using project = await Project.create();
    await writeFile(project.path('agents/store.json'), '[]');
    const report = await rigIn(project.root).poll();
    expect(report.agents.map(({ nativeId }) => nativeId)).toContain('in-first');
    expect(report.limitation).toContain(
      `the file .claude-flow/agents/store.json in ${project.root} is unusable (Unexpected response: not an object)`,
    );
  });

  test('reads a file again when it could not be read, although it has not changed', async () => {
    await using project = await Project.create();
    const path = project.path(SWARM_FILE);
    const time = new Date('2026-11-29T12:00:00Z');
    await rename(path, `${path}.old`);
    await symlink(`${path}.loop`, path);
    await symlink(path, `${path}.loop`);
    const rig = rigIn(project.root);
    expect((await rig.poll()).failures).toHaveLength(1);
    await rm(`${path}.loop`);
    await rename(`${path}.old`, `${path}.loop`);
    await utimes(path, time, time);
    rig.clock.advance(2_000);
    expect(await rig.poll()).toMatchObject({ failures: [], swarms: [{ nativeId: FIRST }, { nativeId: SECOND }, {}] });
  });

  test('keeps using the files while an agent appears between list and files', async () => {
    await using project = await Project.create();
    const rig = rigIn(project.root);
    await rig.poll();
    await project.edit('agents/store.json', 'agents', (agents) => {
      Object.assign(agents, { late: { agentId: 'late', agentType: 'coder', status: 'idle' } });
    });
    expect((await rig.poll()).swarms).toHaveLength(3);
    rig.clock.advance(100);
    expect((await rig.poll()).limitation).toContain('list other agents than the server');
  });

  test('reports no limitation when there are no agents', async () => {
    await using empty = await TemporaryDirectory.create();
    const report = await rigIn(empty.root, { ...TOOLS, agent_list: { agents: [] } }).poll();
    expect(report).toEqual({ agents: [], swarms: [], edges: [], tasks: [], failures: [] });
  });
});
