import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DEFAULT_SERVER_OPTIONS } from '../../src/config/index.js';
import type { App } from '../../src/app/create-app.js';
import { AGENT_UPDATES, request, SocketClient, startApp, type WireUpdate } from '../support/app.js';
import { waitUntil } from '../support/wait.js';

const COMMAND = fileURLToPath(new URL('servers/claude-flow/node_modules/.bin/claude-flow', import.meta.url));

let server: ChildProcessByStdio<null, Readable, null>;
let app: App;
let project: string;

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'swarmlens-test-'));
  const port = await freePort();
  server = spawn(COMMAND, ['mcp', 'start', '-t', 'http', '-p', String(port), '--host', '127.0.0.1'], {
    cwd: project,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let output = '';
  // Reads to the end: claude-flow exits if its output is closed.
  server.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const url = `http://127.0.0.1:${port}/mcp`;
  const isListening = (): Promise<boolean> =>
    fetch(url).then(
      () => true,
      () => false,
    );
  await waitUntil(isListening, {
    state: () => ({ url, output }),
    failure: () => (server.exitCode === null ? null : `claude-flow exited with ${server.exitCode}`),
  });
  app = await startApp([
    {
      ...DEFAULT_SERVER_OPTIONS,
      id: 'flow',
      endpoint: { type: 'http', url, headers: {} },
      // claude-flow answers five calls per second after a burst of 50, and a poll takes up to six calls.
      maxPollHz: 0.5,
      allowTools: ['agent_spawn', 'agent_list'],
      timeoutMs: 10_000,
      connectTimeoutMs: 60_000,
    },
  ]);
});

afterAll(async () => {
  await app[Symbol.asyncDispose]();
  if (server.exitCode === null && server.signalCode === null) {
    server.kill('SIGTERM');
    await once(server, 'exit');
  }
  await rm(project, { recursive: true, force: true });
});

/** Returns a free port chosen by the system. */
async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo; // a TCP server's address is never a string
  probe.close();
  await once(probe, 'close');
  return port;
}

async function callTool(tool: string, args: object): Promise<{ isError: boolean; content: unknown }> {
  const { data, errors } = await request(
    app,
    'mutation Call($tool: String!, $arguments: JSON) { callTool(serverId: "flow", tool: $tool, arguments: $arguments) { isError content } }',
    { tool, arguments: args },
  );
  expect(errors).toBeUndefined();
  return data?.['callTool'] as { isError: boolean; content: unknown }; // as selected
}

describe('claude-flow over HTTP', () => {
  test('delivers an agent created through callTool to a running subscription', async () => {
    await using client = new SocketClient(app);
    using stream = client.subscribe<WireUpdate>(AGENT_UPDATES, { mode: 'NORMAL' });
    await stream.until(({ length }) => length >= 1);
    expect(await callTool('agent_spawn', { agentType: 'coder', agentId: 'coder-1' })).toMatchObject({ isError: false });
    await stream.until((all) =>
      all.some(({ agentUpdates }) => agentUpdates.agents.some(({ id }) => id === 'flow:coder-1')),
    );
    const { data } = await request(
      app,
      '{ server(id: "flow") { type transport status stale lastError } agent(id: "flow:coder-1") { type stale simulated } }',
    );
    expect(data).toMatchObject({
      server: { type: 'CLAUDE_FLOW', transport: 'HTTP', status: 'ONLINE', stale: false, lastError: null },
      agent: { type: 'coder', stale: false, simulated: false },
    });
  });

  test('reports rate-limited calls as errors without opening the circuit breaker', async () => {
    await using client = new SocketClient(app);
    using health = client.subscribe<{ healthChanges: { status: string; circuitState: string } }>(
      'subscription { healthChanges { status circuitState } }',
    );
    const answers = [];
    for (let call = 0; call < 70; call += 1) answers.push(await callTool('agent_list', {}));
    const rejected = answers.filter(({ isError }) => isError);
    expect(rejected.length).toBeGreaterThan(0);
    expect(String(rejected[0]?.content)).toMatch(/rate|too many/i);
    const { data } = await request(
      app,
      '{ server(id: "flow") { stale circuitBreaker { state } } agent(id: "flow:coder-1") { stale } }',
    );
    expect(data).toEqual({
      server: { stale: false, circuitBreaker: { state: 'CLOSED' } },
      agent: { stale: false },
    });
    expect(health.data.filter(({ healthChanges }) => healthChanges.status === 'OFFLINE')).toEqual([]);
  });
});
