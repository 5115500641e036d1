import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { DEFAULT_SERVER_OPTIONS } from '../../src/config/index.js';
import type { App } from '../../src/app/create-app.js';
import { AGENT_UPDATES, request, SocketClient, startApp, type WireUpdate } from '../support/app.js';
import { directoryFingerprint } from '../support/temporary-directory.js';

/** Number of polls in the side-effect test. One hour at 60 Hz would be 216,000 polls, too many for a test. */
const POLLS = Number(process.env['SWARMLENS_POLLS'] ?? 3_000);

const swarmStateSchema = z.looseObject({ swarms: z.record(z.string(), z.looseObject({ swarmId: z.string() })) });

describe.each(['claude-flow', 'ruflo'])('%s over stdio', (name) => {
  const command = fileURLToPath(new URL(`servers/${name}/node_modules/.bin/${name}`, import.meta.url));
  let app: App;
  let project: string;

  beforeAll(async () => {
    project = await mkdtemp(join(tmpdir(), 'swarmlens-test-'));
    app = await startApp([
      {
        ...DEFAULT_SERVER_OPTIONS,
        id: 'flow',
        endpoint: { type: 'stdio', command, args: ['mcp', 'start'], cwd: project, env: {} },
        allowTools: [
          'swarm_init',
          'agent_spawn',
          'hive-mind_init',
          'hive-mind_spawn',
          'daa_agent_create',
          'task_create',
          'agent_update',
          'agent_execute',
          'task_complete',
          'swarm_shutdown',
          'wasm_agent_create',
        ],
        timeoutMs: 10_000,
        connectTimeoutMs: 60_000,
      },
    ]);
  });

  afterAll(async () => {
    await app[Symbol.asyncDispose]();
    await rm(project, { recursive: true, force: true });
  });

  async function callTool(tool: string, args: object, isError = false): Promise<Record<string, unknown>> {
    const { data, errors } = await request(
      app,
      'mutation Call($tool: String!, $arguments: JSON) { callTool(serverId: "flow", tool: $tool, arguments: $arguments) { isError content } }',
      { tool, arguments: args },
    );
    expect(errors).toBeUndefined();
    const result = data?.['callTool'] as { isError: boolean; content: Record<string, unknown> }; // as selected
    expect(result.isError).toBe(isError);
    return result.content;
  }

  function callToolFailing(tool: string, args: object): Promise<Record<string, unknown>> {
    return callTool(tool, args, true);
  }

  /** Adds swarms that `swarm_status` would end: an old one, and those of processes that do not exist here. */
  async function ageSwarms(): Promise<void> {
    const file = join(project, '.claude-flow/swarm/swarm-state.json');
    const state = swarmStateSchema.parse(JSON.parse(await readFile(file, 'utf8')));
    const template = Object.values(state.swarms).find(({ status }) => status === 'running');
    const old = '2026-01-01T00:00:00.000Z';
    Object.assign(state.swarms, {
      old: { ...template, swarmId: 'old', createdAt: old, updatedAt: old },
      foreign: { ...template, swarmId: 'foreign', pid: 4_194_303 },
      container: { ...template, swarmId: 'container', pid: 7, updatedAt: old },
      ended: { ...template, swarmId: 'ended', status: 'terminated', updatedAt: old },
    });
    await writeFile(file, JSON.stringify(state, null, 2));
  }

  test('delivers swarms, agents, a hive and DAA agents created through callTool', async () => {
    await using client = new SocketClient(app);
    using stream = client.subscribe<WireUpdate>(AGENT_UPDATES, { mode: 'HIGH_FREQUENCY' });
    await stream.until(({ length }) => length >= 1);
    await callTool('agent_spawn', { agentType: 'coder', agentId: 'early' });
    const swarm = await callTool('swarm_init', { topology: 'hierarchical', maxAgents: 8 });
    await callTool('agent_spawn', { agentType: 'coordinator', agentId: 'boss' });
    await callTool('agent_spawn', { agentType: 'coder', agentId: 'coder-1', model: 'haiku' });
    const second = await callTool('swarm_init', { topology: 'ring', maxAgents: 3 });
    await callTool('agent_spawn', { agentType: 'tester', agentId: 'tester-1' });
    await callTool('swarm_shutdown', { swarmId: second['swarmId'] });
    await callTool('hive-mind_init', { topology: 'mesh', queenId: 'queen-1' });
    await callTool('hive-mind_spawn', { count: 2, agentType: 'tester' });
    await callTool('daa_agent_create', { id: 'daa-1', name: 'D1', type: 'coder', cognitivePattern: 'systems' });
    await callTool('task_create', { type: 'feature', description: 'x', assignTo: ['coder-1'] });
    const { data, errors } = await request(
      app,
      '{ agents { nativeId serverType swarmId name type status model currentTaskId stale simulated performance { healthScore cpuUsage memoryUsage } neural { cognitivePattern } topology { role parentId inferred } } swarms { id status topology topologyName } server(id: "flow") { type status lastError } }',
    );
    expect(errors).toBeUndefined();
    expect(data?.['server']).toMatchObject({ type: 'CLAUDE_FLOW', status: 'ONLINE', lastError: null });
    const agents = data?.['agents'] as ({ nativeId: string } & Record<string, unknown>)[]; // as selected
    const find = (id: string): Record<string, unknown> | undefined => agents.find(({ nativeId }) => nativeId === id);
    expect(find('early')).toMatchObject({ swarmId: null, model: expect.any(String) });
    expect(find('tester-1')).toMatchObject({ swarmId: `flow:${second['swarmId'] as string}` });
    expect(data?.['swarms']).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ id: `flow:${swarm['swarmId'] as string}`, status: 'running' }),
        expect.objectContaining({ id: `flow:${second['swarmId'] as string}`, status: 'terminated' }),
      ]),
    );
    expect(find('coder-1')).toMatchObject({
      model: 'haiku',
      serverType: 'CLAUDE_FLOW',
      swarmId: `flow:${swarm['swarmId'] as string}`,
      name: 'coder-1',
      type: 'coder',
      stale: false,
      simulated: false,
      performance: { cpuUsage: null, memoryUsage: null },
      topology: { parentId: 'flow:boss', inferred: true },
    });
    expect(find('queen-1')).toMatchObject({
      type: 'queen',
      topology: { role: 'queen', inferred: expect.any(Boolean) },
    });
    expect(find('daa-1')).toMatchObject({ serverType: 'DAA', swarmId: null, name: 'D1', type: 'coder' });
    expect(agents.filter(({ type }) => type === 'tester')).toHaveLength(3);
    // The stream must deliver everything that the query returned.
    const ids = agents.map(({ nativeId }) => `flow:${nativeId}`);
    await stream.until((all) => {
      const seen = new Set(all.flatMap(({ agentUpdates }) => agentUpdates.agents.map(({ id }) => id)));
      return ids.every((id) => seen.has(id));
    });
  });

  test('delivers an agent that another process created in the project', async () => {
    await using client = new SocketClient(app);
    using stream = client.subscribe<WireUpdate>(AGENT_UPDATES, { mode: 'NORMAL' });
    await stream.until(({ length }) => length >= 1);
    const other = spawn(command, ['agent', 'spawn', '--type', 'reviewer', '--name', 'from-elsewhere'], {
      cwd: project,
      stdio: 'ignore',
    });
    await once(other, 'exit');
    await stream.until((all) =>
      all.some(({ agentUpdates }) => agentUpdates.agents.some(({ type }) => type === 'reviewer')),
    );
  });

  test('counts completed tasks, but no failed executions', async () => {
    const { taskId } = await callTool('task_create', { type: 'test', description: 'y', assignTo: ['tester-1'] });
    await callTool('task_complete', { taskId });
    const failed = await callToolFailing('agent_execute', { agentId: 'tester-1', prompt: 'hello' });
    expect(failed).toMatchObject({ success: false, error: expect.stringContaining('ANTHROPIC_API_KEY') });
    await callToolFailing('agent_execute', { agentId: 'early', prompt: 'hello' });
    const { data } = await request(
      app,
      '{ tester: agent(id: "flow:tester-1") { performance { tasksCompleted tasksFailed } } early: agent(id: "flow:early") { performance { tasksCompleted tasksFailed } } }',
    );
    expect(data).toEqual({
      tester: { performance: { tasksCompleted: 1, tasksFailed: 0 } },
      early: { performance: { tasksCompleted: null, tasksFailed: null } },
    });
  });

  test('reports the failure of a tool that wraps it in a result', async () => {
    const failed = await callToolFailing('wasm_agent_create', { template: 'no such "template"' });
    expect(failed).toMatchObject({ error: expect.any(String) });
  });

  test(`leaves the project files unchanged and its calls fast after ${POLLS} polls`, async () => {
    await using client = new SocketClient(app);
    await ageSwarms();
    await writeFile(join(project, '.claude-flow/tasks/store.json'), '{"tasks": {"task-1": {"ta');
    const before = await directoryFingerprint(project);
    expect(Object.keys(before).length).toBeGreaterThan(0);
    const latency = async (): Promise<number> => {
      const { data } = await request(app, '{ server(id: "flow") { latency { p50Ms } } }');
      return (data?.['server'] as { latency: { p50Ms: number } }).latency.p50Ms; // as selected
    };
    // Each request causes an additional poll and is answered when the poll has ended.
    const polls = async (count: number): Promise<void> => {
      for (let poll = 0; poll < count; poll += 1) {
        await client.subscribe('{ __typename }').ended();
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    using stream = client.subscribe('subscription { agentUpdates(mode: HIGH_FREQUENCY) { cursor } }');
    await stream.until(({ length }) => length >= 1);
    const seen = async (): Promise<number> => {
      const { data } = await request(app, '{ server(id: "flow") { lastSeenAt } }');
      return Date.parse((data?.['server'] as { lastSeenAt: string }).lastSeenAt); // as selected
    };
    const startMs = await seen();
    await polls(100);
    const early = await latency();
    // The polls at 60 Hz take this long. `lastSeenAt` shows when they have finished.
    while ((await seen()) - startMs < (POLLS / 60) * 1000) await polls(200);
    const late = await latency();
    console.log(`p50 of a call: ${early.toFixed(2)} ms at first, ${late.toFixed(2)} ms after about ${POLLS} polls`);
    expect(await directoryFingerprint(project)).toEqual(before);
    // Without the scratch directory, latency grows 40 times within 1,400 calls.
    expect(late / early).toBeLessThan(3);
  });
});
