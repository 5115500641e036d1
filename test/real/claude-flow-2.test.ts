import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { DEFAULT_SERVER_OPTIONS } from '../../src/config/index.js';
import type { App } from '../../src/app/create-app.js';
import { request, startApp } from '../support/app.js';
import { directoryFingerprint } from '../support/temporary-directory.js';

const PROGRAM = fileURLToPath(
  new URL('servers/claude-flow-2/node_modules/claude-flow/bin/claude-flow.js', import.meta.url),
);
const QUERY =
  '{ server(id: "flow") { type status version lastError } swarms { nativeId topologyName maxAgents } agents { nativeId swarmId name type status capabilities createdAt lastActiveAt } }';

let app: App;
let project: string;

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'swarmlens-test-'));
  app = await startApp([
    {
      ...DEFAULT_SERVER_OPTIONS,
      id: 'flow',
      endpoint: { type: 'stdio', command: process.execPath, args: [PROGRAM, 'mcp', 'start'], cwd: project, env: {} },
      allowTools: ['swarm_init', 'agent_spawn'],
      timeoutMs: 10_000,
      connectTimeoutMs: 60_000,
    },
  ]);
});

afterAll(async () => {
  await app[Symbol.asyncDispose]();
  await rm(project, { recursive: true, force: true });
});

async function callTool(tool: string, args: object): Promise<unknown> {
  const { data, errors } = await request(
    app,
    'mutation Call($tool: String!, $arguments: JSON) { callTool(serverId: "flow", tool: $tool, arguments: $arguments) { content } }',
    { tool, arguments: args },
  );
  expect(errors).toBeUndefined();
  return z.object({ callTool: z.object({ content: z.unknown() }) }).parse(data).callTool.content;
}

describe('claude-flow 2.7 over stdio', () => {
  test('shows no invented agents before a swarm exists', async () => {
    const { data } = await request(app, QUERY);
    expect(data).toEqual({
      server: { type: 'CLAUDE_FLOW', status: 'ONLINE', version: '2.7.47', lastError: null },
      swarms: [],
      agents: [],
    });
  });

  test('shows swarm and agents created through callTool', async () => {
    const before = await directoryFingerprint(project);
    const { swarmId } = z
      .looseObject({ swarmId: z.string() })
      .parse(await callTool('swarm_init', { topology: 'mesh' }));
    const spawned = await callTool('agent_spawn', { type: 'coder', name: 'Ada', capabilities: ['typescript'] });
    const { agentId } = z.looseObject({ agentId: z.string() }).parse(spawned);
    const { data } = await request(app, QUERY);
    expect(data).toMatchObject({
      server: { status: 'ONLINE', lastError: null },
      swarms: [{ nativeId: swarmId, topologyName: 'mesh' }],
      agents: [
        {
          nativeId: agentId,
          swarmId: `flow:${swarmId}`,
          name: 'Ada',
          type: 'coder',
          status: 'ACTIVE',
          capabilities: ['typescript'],
          createdAt: expect.any(String),
          lastActiveAt: expect.any(String),
        },
      ],
    });
    expect(await directoryFingerprint(project)).toEqual(before);
  });
});
