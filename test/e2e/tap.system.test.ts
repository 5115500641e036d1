import { Client, type ClientOptions } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { App } from '../../src/app/create-app.js';
import { Control } from '../faults/fault-controller.js';
import { PROGRAM, request, SocketClient, startApp, type Subscription, type WireUpdate } from '../support/app.js';
import { fixture } from '../tap/tap-setup.js';
import { TAP_KEY_FILE } from '../support/tap-key-file.js';
import { HANG_MS, waitUntil } from '../support/wait.js';

/** Heartbeat in milliseconds that is longer than any test, so that no update waits for a poll. */
const LONG_MS = 600_000;
const LAZY = { heartbeatMs: LONG_MS };

/** The SDK passes few variables of the environment to the tap. */
const KEY = ['--key-file', TAP_KEY_FILE];

const SIMULATOR = [PROGRAM, 'simulate', '--type', 'ruv-swarm', '--agents', '2', '--hz', '0'];

/** MCP client of a user, based on the official SDK, that starts a simulator behind a tap. */
class User implements AsyncDisposable {
  readonly #client: Client;

  constructor(options: ClientOptions) {
    this.#client = new Client({ name: 'user', version: '1' }, { capabilities: {}, ...options });
  }

  static async start(
    url: string,
    name = 'mine',
    server: readonly string[] = SIMULATOR,
    options: ClientOptions = {},
  ): Promise<User> {
    const user = new User(options);
    const args = [PROGRAM, 'tap', '--server', name, '--url', url, ...KEY, '--', process.execPath, ...server];
    await user.#client.connect(new StdioClientTransport({ command: process.execPath, args, stderr: 'inherit' }), {
      timeout: HANG_MS,
    });
    return user;
  }

  async spawnAgent(name: string): Promise<void> {
    await this.call('agent_spawn', { type: 'coder', name });
  }

  async call(tool: string, args: Record<string, unknown>): Promise<void> {
    const answer = await this.#client.callTool({ name: tool, arguments: args }, { timeout: HANG_MS });
    expect(answer.isError ?? false).toBe(false);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.close();
  }
}

function untilStreamed(stream: Subscription<WireUpdate>, name: string): Promise<unknown> {
  return stream.until((all) =>
    all.some(({ agentUpdates }) => agentUpdates.agents.some((agent) => agent['name'] === name)),
  );
}

async function servers(app: Pick<App, 'url'>): Promise<unknown> {
  return (await request(app, '{ servers { id transport type status stale } }')).data?.['servers'];
}

/** Resolves when an agent with this name is known. Queries for it do not cause polls. */
async function untilAgentIsKnown(app: App, name: string): Promise<void> {
  let seen: unknown;
  const isSeen = async (): Promise<boolean> => {
    const { data } = await request(app, '{ agents { name } }');
    seen = data;
    return (data?.['agents'] as { name: string }[]).some((agent) => agent.name === name); // as selected
  };
  await waitUntil(isSeen, { state: () => seen });
}

/** Resolves when the server has this status. */
async function untilStatusIs(app: App, id: string, status: string): Promise<void> {
  await using client = new SocketClient(app);
  using changes = client.subscribe<{ healthChanges: { serverId: string; status: string } }>(
    'subscription { healthChanges { serverId status } }',
  );
  using stream = client.watchAgents({ mode: 'NORMAL' });
  await stream.until(({ length }) => length > 0);
  const { data } = await request(app, `{ server(id: "${id}") { status } }`);
  if (JSON.stringify(data).includes(`"${status}"`)) return;
  await changes.until((all) =>
    all.some(({ healthChanges }) => healthChanges.serverId === id && healthChanges.status === status),
  );
}

describe('tapped server', () => {
  test('shows the effects of calls of a client that uses MCP 2026-07-28', async () => {
    await using app = await startApp([], LAZY);
    const options: ClientOptions = { versionNegotiation: { mode: { pin: '2026-07-28' } } };
    await using user = await User.start(app.url, 'mine', [fixture('modern')], options);
    await user.spawnAgent('ada');
    await untilAgentIsKnown(app, 'ada');
    await untilStatusIs(app, 'mine', 'ONLINE');
    await using client = new SocketClient(app);
    using stream = client.watchAgents({ mode: 'NORMAL' });
    await user.spawnAgent('grace');
    await untilStreamed(stream, 'grace');
  });

  test('shows the effects of client calls without waiting for a poll', async () => {
    await using app = await startApp([], LAZY);
    await using user = await User.start(app.url);
    await untilStatusIs(app, 'mine', 'ONLINE');
    expect(await servers(app)).toEqual([
      { id: 'mine', transport: 'TAP', type: 'RUV_SWARM', status: 'ONLINE', stale: false },
    ]);
    await using client = new SocketClient(app);
    // A subscription on demand requires no polls beyond the heartbeat.
    using stream = client.watchAgents({ mode: 'ON_DEMAND' });
    await stream.until(({ length }) => length > 0);
    await user.spawnAgent('ada');
    await untilAgentIsKnown(app, 'ada');
    // Makes the stream send an update without a poll.
    const { data } = await request(
      app,
      'mutation { requestAgentUpdate(serverIds: []) { serverIds unansweredServerIds } }',
    );
    expect(data).toEqual({ requestAgentUpdate: { serverIds: [], unansweredServerIds: [] } });
    await untilStreamed(stream, 'ada');
  });

  test('shows the effects of client calls while a slow client call prevents polls', async () => {
    await using control = await Control.open();
    const server = control.expect('mine', { type: 'ruv-swarm', agents: 2, hz: 0 });
    await using app = await startApp([]);
    await using user = await User.start(app.url, 'mine', server.args);
    await untilStatusIs(app, 'mine', 'ONLINE');
    await using client = new SocketClient(app);
    using stream = client.watchAgents({ mode: 'HIGH_FREQUENCY' });
    await stream.until(({ length }) => length > 0);

    await server.order({ do: 'damage', damage: { kind: 'late', tool: 'neural_status' } });
    const slow = user.call('neural_status', {});
    await server.called('neural_status', 1, 0);
    // The server still answers a poll that started before the client call.
    const asked = (await server.order({ do: 'freeze' })).get('agent_list');
    await user.spawnAgent('ada');
    await untilStreamed(stream, 'ada');
    const calls = await server.order({ do: 'damage', damage: null });
    expect(calls.get('agent_list')).toBe(asked);
    expect(calls.get('agent_spawn')).toBe(1);
    await server.order({ do: 'release' });
    await slow;
  });

  test('reconnects after a restart of swarmlens that does not disturb the client', async () => {
    let app = await startApp([], LAZY);
    const port = Number(new URL(app.url).port);
    await using user = await User.start(app.url);
    await untilStatusIs(app, 'mine', 'ONLINE');
    await app[Symbol.asyncDispose]();
    await user.spawnAgent('while away');
    app = await startApp([], { ...LAZY, port });
    try {
      await using client = new SocketClient(app);
      using stream = client.watchAgents({ mode: 'LOW_FREQUENCY' });
      await untilStreamed(stream, 'while away');
      await user.spawnAgent('back again');
      await untilStreamed(stream, 'back again');
    } finally {
      await app[Symbol.asyncDispose]();
    }
    await user.spawnAgent('alone');
  });

  test('keeps its agents as stale when the session ends, until the next session takes its place', async () => {
    await using app = await startApp([], LAZY);
    {
      await using user = await User.start(app.url);
      await untilStatusIs(app, 'mine', 'ONLINE');
      await user.spawnAgent('ada');
    }
    await untilStatusIs(app, 'mine', 'OFFLINE');
    const { data } = await request(app, '{ servers { id stale lastError } agents { stale } }');
    expect(data).toMatchObject({
      servers: [{ id: 'mine', stale: true, lastError: expect.stringContaining('session has ended') }],
    });
    expect((data?.['agents'] as { stale: boolean }[]).every(({ stale }) => stale)).toBe(true); // as selected
    await using _next = await User.start(app.url);
    await untilStatusIs(app, 'mine', 'ONLINE');
    expect(await servers(app)).toHaveLength(1);
  });
});

test('a tapped server is removed after removeAfterMs and can connect again', async () => {
  await using app = await startApp([], { ...LAZY, removeAfterMs: 1 });
  {
    await using _user = await User.start(app.url);
    await untilStatusIs(app, 'mine', 'ONLINE');
  }
  const isRemoved = async (): Promise<boolean> => isDeepStrictEqual(await servers(app), []);
  await waitUntil(isRemoved, { state: () => 'the server is still listed' });
  await using _next = await User.start(app.url);
  await untilStatusIs(app, 'mine', 'ONLINE');
});
