import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { DEFAULT_SERVER_OPTIONS } from '../../src/config/index.js';
import type { App } from '../../src/app/create-app.js';
import { AGENT_UPDATES, request, SocketClient, startApp, type WireUpdate } from '../support/app.js';

const COMMAND = fileURLToPath(new URL('node_modules/.bin/ruv-swarm', import.meta.url));

const SPAWNED = z.object({ agent: z.object({ id: z.string() }), swarm_info: z.object({ id: z.string() }) });

let app: App;
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'swarmlens-test-'));
  app = await startApp([
    {
      ...DEFAULT_SERVER_OPTIONS,
      id: 'ruv',
      endpoint: { type: 'stdio', command: COMMAND, args: ['mcp', 'start'], cwd: directory, env: {} },
      allowTools: ['swarm_init', 'agent_spawn', 'task_orchestrate', 'daa_init', 'daa_agent_create'],
      timeoutMs: 5_000,
      connectTimeoutMs: 60_000,
    },
  ]);
});

afterAll(async () => {
  await app[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

async function callTool(tool: string, args: object): Promise<Record<string, unknown>> {
  const { data, errors } = await request(
    app,
    'mutation Call($tool: String!, $arguments: JSON) { callTool(serverId: "ruv", tool: $tool, arguments: $arguments) { isError content } }',
    { tool, arguments: args },
  );
  expect(errors).toBeUndefined();
  const result = data?.['callTool'] as { isError: boolean; content: Record<string, unknown> }; // as selected
  expect(result.isError).toBe(false);
  return result.content;
}

describe('ruv-swarm over stdio', () => {
  test('is detected and online although it prints log lines', async () => {
    const { data } = await request(
      app,
      '{ server(id: "ruv") { type name version status lastError simulated tools stale } }',
    );
    expect(data?.['server']).toMatchObject({
      type: 'RUV_SWARM',
      version: '1.0.20',
      status: 'ONLINE',
      lastError: null,
      simulated: false,
      stale: false,
      tools: expect.arrayContaining(['agent_list', 'swarm_status', 'task_status']),
    });
  });

  test('delivers a swarm and agents created through callTool to agentUpdates', async () => {
    await using client = new SocketClient(app);
    using stream = client.subscribe<WireUpdate>(AGENT_UPDATES, { mode: 'HIGH_FREQUENCY' });
    await stream.until(({ length }) => length >= 1);
    const { id } = await callTool('swarm_init', { topology: 'mesh', maxAgents: 5 });
    expect(id).toMatch(/^swarm-/);
    const made: z.infer<typeof SPAWNED>[] = [];
    for (const [type, name] of [
      ['coder', 'ada'],
      ['researcher', 'grace'],
    ]) {
      made.push(SPAWNED.parse(await callTool('agent_spawn', { type, name, capabilities: ['x'] })));
    }
    const ids = made.map(({ agent }) => `ruv:${agent.id}`);
    const updates = await stream.until((all) => {
      const seen = new Set(all.flatMap(({ agentUpdates }) => agentUpdates.agents.map(({ id }) => id)));
      return ids.every((id) => seen.has(id));
    });
    const latest = new Map(
      updates.flatMap(({ agentUpdates }) => agentUpdates.agents.map((agent) => [agent.id, agent])),
    );
    expect(latest.get(ids[0] ?? '')).toMatchObject({
      nativeId: made[0]?.agent.id,
      serverId: 'ruv',
      serverType: 'RUV_SWARM',
      // ruv-swarm keeps swarms of earlier runs, adds agents to the oldest and reports its id.
      swarmId: `ruv:${made[0]?.swarm_info.id ?? ''}`,
      name: 'ada',
      type: 'coder',
      status: 'IDLE',
      capabilities: ['x'],
      neural: {
        cognitivePattern: 'adaptive',
        networkId: expect.stringMatching(/^nn-/),
        adaptations: null,
        learningRate: null,
      },
      stale: false,
      simulated: false,
      createdAt: null,
      lastActiveAt: null,
    });
    // ruv-swarm omits these values or invents them.
    const performance = latest.get(ids[0] ?? '')?.['performance'] as Record<string, unknown> | null; // as selected
    for (const unknown of ['cpuUsage', 'memoryUsage', 'healthScore', 'tokenUsage', 'responseTimeMs', 'successRate']) {
      expect(performance?.[unknown] ?? null).toBeNull();
    }
  });

  test('shows topology, strategy and maximum of a created swarm, and created DAA agents', async () => {
    const { id } = await callTool('swarm_init', { topology: 'ring', maxAgents: 7, strategy: 'specialized' });
    await callTool('daa_init', { enableCoordination: true, enableLearning: true });
    await callTool('daa_agent_create', { id: 'daa-1', cognitivePattern: 'systems', capabilities: ['learn'] });
    await request(app, 'mutation { requestAgentUpdate(serverIds: ["ruv"]) { servers { id } } }');
    const { data } = await request(
      app,
      '{ swarms { nativeId topologyName strategy maxAgents } agent(id: "ruv:daa-1") { serverType status capabilities neural { cognitivePattern } } }',
    );
    expect(data?.['swarms']).toEqual(
      expect.arrayContaining([{ nativeId: id, topologyName: 'ring', strategy: 'specialized', maxAgents: 7 }]),
    );
    expect(data?.['agent']).toEqual({
      serverType: 'DAA',
      status: 'ACTIVE',
      capabilities: ['learn'],
      neural: { cognitivePattern: 'systems' },
    });
  });

  test('counts a completed task in the performance of its agents', async () => {
    await using client = new SocketClient(app);
    using stream = client.subscribe<WireUpdate>(AGENT_UPDATES, { mode: 'HIGH_FREQUENCY' });
    await stream.until(({ length }) => length >= 1);
    await callTool('task_orchestrate', { task: 'look at it', maxAgents: 2 });
    await stream.until((all) =>
      all.some(({ agentUpdates }) =>
        agentUpdates.agents.some(
          (agent) => ((agent['performance'] as { tasksCompleted: number | null } | null)?.tasksCompleted ?? 0) > 0,
        ),
      ),
    );
  });

  test('stays online without health changes while it is polled at 60 Hz', async () => {
    await using client = new SocketClient(app);
    using stream = client.subscribe<{ performanceMetrics: unknown }>(
      'subscription { agentUpdates(mode: HIGH_FREQUENCY) { cursor } }',
    );
    using health = client.subscribe('subscription { healthChanges { serverId status circuitState } }');
    using clock = client.subscribe<WireUpdate>(AGENT_UPDATES, { mode: 'LOW_FREQUENCY' });
    await stream.until(({ length }) => length >= 1);
    const before = await request(app, '{ server(id: "ruv") { lastSeenAt } }');
    await clock.until(({ length }) => length >= 1);
    await callTool('agent_spawn', { type: 'analyst', name: 'last' });
    const after = await request(
      app,
      '{ server(id: "ruv") { lastSeenAt status circuitBreaker { state consecutiveFailures } latency { p50Ms p99Ms } } }',
    );
    const server = (answer: typeof after): Record<string, unknown> =>
      answer.data?.['server'] as Record<string, unknown>; // as selected
    expect(Date.parse(server(after)['lastSeenAt'] as string)).toBeGreaterThan(
      Date.parse(server(before)['lastSeenAt'] as string),
    );
    expect(server(after)).toMatchObject({
      status: 'ONLINE',
      circuitBreaker: { state: 'CLOSED', consecutiveFailures: 0 },
    });
    expect(health.data).toEqual([]);
  });
});
