import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { App } from '../../src/app.js';
import { Control } from '../faults/control.js';
import { PROGRAM, request, SocketClient, startApp, type Subscription, type WireUpdate } from '../support/app.js';
import { HANG_MS, waitUntil } from '../support/wait.js';

/** Longer than any test: what shows up before has not waited for a poll. */
const LONG_MS = 600_000;
const LAZY = { heartbeatMs: LONG_MS };

const SIMULATOR = [PROGRAM, 'simulate', '--type', 'ruv-swarm', '--agents', '2', '--hz', '0'];

/** A person's own MCP client, which knows nothing of swarmlens: the official one, starting a simulator behind a tap. */
class Person implements AsyncDisposable {
  readonly #client = new Client({ name: 'person', version: '1' }, { capabilities: {} });

  static async start(url: string, name = 'mine', server: readonly string[] = SIMULATOR): Promise<Person> {
    const person = new Person();
    const args = [PROGRAM, 'tap', '--server', name, '--url', url, '--', process.execPath, ...server];
    await person.#client.connect(new StdioClientTransport({ command: process.execPath, args, stderr: 'inherit' }), {
      timeout: HANG_MS,
    });
    return person;
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

function named(stream: Subscription<WireUpdate>, name: string): Promise<unknown> {
  return stream.until((all) =>
    all.some(({ agentUpdates }) => agentUpdates.agents.some((agent) => agent['name'] === name)),
  );
}

async function servers(app: Pick<App, 'url'>): Promise<unknown> {
  return (await request(app, '{ servers { id transport type status stale } }')).data?.['servers'];
}

/** Resolves when an agent of that name is in the picture. Asking for it is no reason to poll. */
async function isKnown(app: App, name: string): Promise<void> {
  let seen: unknown;
  const isSeen = async (): Promise<boolean> => {
    const { data } = await request(app, '{ agents { name } }');
    seen = data;
    return (data?.['agents'] as { name: string }[]).some((agent) => agent.name === name); // as selected
  };
  await waitUntil(isSeen, { state: () => seen });
}

/** Resolves when the server has this status. */
async function reaches(app: App, id: string, status: string): Promise<void> {
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

describe("a person's server behind a tap", () => {
  test('is in the picture, and what their client does there shows up without waiting for a poll', async () => {
    await using app = await startApp([], LAZY);
    await using person = await Person.start(app.url);
    await reaches(app, 'mine', 'ONLINE');
    expect(await servers(app)).toEqual([
      { id: 'mine', transport: 'TAP', type: 'RUV_SWARM', status: 'ONLINE', stale: false },
    ]);
    await using client = new SocketClient(app);
    // Nobody wants more than the heartbeat, which is long away.
    using stream = client.watchAgents({ mode: 'ON_DEMAND' });
    await stream.until(({ length }) => length > 0);
    await person.spawnAgent('ada');
    await isKnown(app, 'ada');
    // Moves the stream, and polls nobody.
    const { data } = await request(
      app,
      'mutation { requestAgentUpdate(serverIds: []) { serverIds unansweredServerIds } }',
    );
    expect(data).toEqual({ requestAgentUpdate: { serverIds: [], unansweredServerIds: [] } });
    await named(stream, 'ada');
  });

  test('shows what their client does even while a call of theirs keeps swarmlens from asking', async () => {
    await using control = await Control.open();
    const server = control.expect('mine', { type: 'ruv-swarm', agents: 2, hz: 0 });
    await using app = await startApp([]);
    await using person = await Person.start(app.url, 'mine', server.args);
    await reaches(app, 'mine', 'ONLINE');
    await using client = new SocketClient(app);
    using stream = client.watchAgents({ mode: 'HIGH_FREQUENCY' });
    await stream.until(({ length }) => length > 0);

    await server.order({ do: 'damage', damage: { kind: 'late', tool: 'neural_status' } });
    const slow = person.call('neural_status', {});
    await server.called('neural_status', 1, 0);
    // One of ours that was asked before theirs came is answered still.
    const asked = (await server.order({ do: 'freeze' })).get('agent_list');
    await person.spawnAgent('ada');
    await named(stream, 'ada');
    const calls = await server.order({ do: 'damage', damage: null });
    expect(calls.get('agent_list')).toBe(asked);
    expect(calls.get('agent_spawn')).toBe(1);
    await server.order({ do: 'release' });
    await slow;
  });

  test('is lost with swarmlens, which the person does not notice, and is back with it', async () => {
    let app = await startApp([], LAZY);
    const port = Number(new URL(app.url).port);
    await using person = await Person.start(app.url);
    await reaches(app, 'mine', 'ONLINE');
    await app[Symbol.asyncDispose]();
    await person.spawnAgent('while away');
    app = await startApp([], { ...LAZY, port });
    try {
      await using client = new SocketClient(app);
      using stream = client.watchAgents({ mode: 'LOW_FREQUENCY' });
      await named(stream, 'while away');
      await person.spawnAgent('back again');
      await named(stream, 'back again');
    } finally {
      await app[Symbol.asyncDispose]();
    }
    await person.spawnAgent('alone');
  });

  test('stays with its last agents when their session ends, and the next one takes its place', async () => {
    await using app = await startApp([], LAZY);
    {
      await using person = await Person.start(app.url);
      await reaches(app, 'mine', 'ONLINE');
      await person.spawnAgent('ada');
    }
    await reaches(app, 'mine', 'OFFLINE');
    const { data } = await request(app, '{ servers { id stale lastError } agents { stale } }');
    expect(data).toMatchObject({
      servers: [{ id: 'mine', stale: true, lastError: expect.stringContaining('session has ended') }],
    });
    expect((data?.['agents'] as { stale: boolean }[]).every(({ stale }) => stale)).toBe(true); // as selected
    await using _next = await Person.start(app.url);
    await reaches(app, 'mine', 'ONLINE');
    expect(await servers(app)).toHaveLength(1);
  });
});

test('a tapped server leaves the picture when it has been gone for long enough, and may come back', async () => {
  await using app = await startApp([], { ...LAZY, removeAfterMs: 1 });
  {
    await using _person = await Person.start(app.url);
    await reaches(app, 'mine', 'ONLINE');
  }
  const isGone = async (): Promise<boolean> => isDeepStrictEqual(await servers(app), []);
  await waitUntil(isGone, { state: () => 'the server is still listed' });
  await using _next = await Person.start(app.url);
  await reaches(app, 'mine', 'ONLINE');
});
