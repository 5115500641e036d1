import { stat } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { createHooks } from '../../src/hooks/index.js';
import { connectSession, type McpSession } from '../../src/mcp/index.js';
import { agentListSchema, observedAgentSchema, type ObservedSource } from '../../src/observer-format/index.js';
import { HookRelay } from '../../src/observers/hooks/hook-relay.js';
import { runObserver } from '../../src/observers/index.js';
import { closeServer, listenOnLoopback, type Logger, systemClock } from '../../src/shared/index.js';
import { silentLogger } from '../../src/telemetry/index.js';
import { CALL, connectOptions } from '../mcp/support.js';
import { PROGRAM } from '../support/app.js';
import { ManualClock } from '../support/manual-clock.js';
import { TemporaryDirectory } from '../support/temporary-directory.js';
import { ChangeNotifier, waitUntil } from '../support/wait.js';
import { agentsOf, invented, ObservedDirectory } from './observed-directory.js';
import { observerOptions } from './observer-options.js';

const { session, path, prompt, call } = invented;
const PERMISSION = { session_id: session, hook_event_name: 'PermissionRequest', tool_name: 'Bash', tool_input: {} };

interface RelayOptions {
  readonly port?: number;
  readonly source?: ObservedSource;
  readonly token?: string;
  readonly clock?: ManualClock;
  readonly logger?: Logger;
}

/** Relay that collects the events that it receives. */
class CollectingRelay implements AsyncDisposable {
  readonly events: unknown[] = [];
  readonly #changes = new ChangeNotifier();
  readonly relay: HookRelay;
  malformed = 0;

  constructor(
    directory: TemporaryDirectory,
    { port = 0, source = 'claude-code', token, clock, logger = silentLogger }: RelayOptions = {},
  ) {
    this.relay = new HookRelay({
      source,
      port,
      token: token ?? null,
      stateDirectory: directory.path('state'),
      clock: clock ?? systemClock,
      logger,
      random: () => 1,
      onEvent: (_source, event) => {
        this.events.push(event);
        this.#changes.notify();
      },
      onMalformed: () => (this.malformed += 1),
    });
  }

  /** Starts a relay and waits until it receives events. */
  static async start(directory: TemporaryDirectory, options: RelayOptions = {}): Promise<CollectingRelay> {
    const relay = new CollectingRelay(directory, options);
    await waitUntil(() => relay.relay.isReceiving, { state: () => 'not receiving' });
    return relay;
  }

  get port(): number {
    return Number(new URL(this.relay.url ?? '').port);
  }

  received(count: number): Promise<void> {
    return this.#changes.until(() => this.events.length >= count, { state: () => this.events });
  }

  followed(count: number): Promise<void> {
    return waitUntil(() => this.relay.followerCount === count, { state: () => this.relay.followerCount });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.relay[Symbol.asyncDispose]();
  }
}

function post(port: number, event: unknown, headers: Record<string, string> = {}, source = 'claude-code') {
  const body = typeof event === 'string' ? event : JSON.stringify(event);
  return fetch(`http://127.0.0.1:${port}/hooks/${source}`, { method: 'POST', headers, body });
}

async function listenAs(server: Server, port = 0): Promise<number> {
  return await listenOnLoopback(server, port);
}

describe('HookRelay', () => {
  test('sends each event to all observers of the same program, in order', async () => {
    await using directory = await TemporaryDirectory.create();
    await using leader = await CollectingRelay.start(directory);
    const { port } = leader;
    await using second = await CollectingRelay.start(directory, { port });
    await using third = await CollectingRelay.start(directory, { port });
    await using other = await CollectingRelay.start(directory, { port, source: 'codex' });
    await leader.followed(3);

    const events = [{ n: 1 }, { n: 2 }, { n: 3, text: 'zeile\n€' }];
    for (const event of events) expect((await post(port, event)).status).toBe(204);
    await post(port, { n: 4 }, {}, 'codex');
    await Promise.all([second.received(3), third.received(3), other.received(1)]);

    for (const relay of [leader, second, third]) expect(relay.events).toEqual(events);
    expect(other.events).toEqual([{ n: 4 }]);
  });

  test('sends an event that a follower has received elsewhere to all observers', async () => {
    await using directory = await TemporaryDirectory.create();
    await using leader = await CollectingRelay.start(directory);
    await using second = await CollectingRelay.start(directory, { port: leader.port });
    await using third = await CollectingRelay.start(directory, { port: leader.port });
    await leader.followed(2);

    second.relay.publish('claude-code', { n: 1 });
    await Promise.all([leader.received(1), second.received(1), third.received(1)]);
    expect([leader, second, third].map(({ events }) => events)).toEqual([[{ n: 1 }], [{ n: 1 }], [{ n: 1 }]]);
  });

  test('moves to another observer when the leader ends', async () => {
    await using directory = await TemporaryDirectory.create();
    const leader = await CollectingRelay.start(directory);
    const { port } = leader;
    await using second = await CollectingRelay.start(directory, { port });
    await using third = await CollectingRelay.start(directory, { port });
    await leader.followed(2);
    await leader[Symbol.asyncDispose]();
    await waitUntil(() => second.relay.followerCount + third.relay.followerCount === 1, {
      state: () => [second.relay.url, third.relay.url],
    });

    expect((await post(port, { n: 1 })).status).toBe(204);
    await Promise.all([second.received(1), third.received(1)]);
    expect([second.events, third.events]).toEqual([[{ n: 1 }], [{ n: 1 }]]);
  });

  test('refuses connections at once when no observer runs', async () => {
    await using directory = await TemporaryDirectory.create();
    const leader = await CollectingRelay.start(directory);
    const { port } = leader;
    await leader[Symbol.asyncDispose]();

    await expect(post(port, {})).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } });
  });

  test('reports a port of another program once, and receives events when the port is free', async () => {
    await using directory = await TemporaryDirectory.create();
    const foreign = createServer((socket) => socket.destroy());
    const port = await listenAs(foreign);
    const clock = new ManualClock();
    const warnings: unknown[] = [];
    const logger: Logger = { ...silentLogger, warn: (...parts: unknown[]) => warnings.push(parts) };
    await using relay = new CollectingRelay(directory, { port, clock, logger });

    for (let attempt = 0; attempt < 8; attempt += 1) {
      await waitUntil(() => clock.pending === 1, { state: () => clock.pending });
      clock.advance(30_000);
    }
    await waitUntil(() => clock.pending === 1, { state: () => clock.pending });
    expect(relay.relay.isReceiving).toBe(false);
    expect(warnings).toEqual([[{ port, error: 'the port is in use' }, expect.stringContaining('--hooks-port')]]);

    await closeServer(foreign);
    clock.advance(30_000);
    await waitUntil(() => relay.relay.isReceiving, { state: () => warnings });
    expect((await post(port, { n: 1 })).status).toBe(204);
    expect(relay.events).toEqual([{ n: 1 }]);
  });

  test('does not share events with observers that keep their files elsewhere, as those of other users do', async () => {
    await using directory = await TemporaryDirectory.create();
    await using foreign = await TemporaryDirectory.create();
    await using leader = await CollectingRelay.start(directory);
    const clock = new ManualClock();
    await using other = new CollectingRelay(foreign, { port: leader.port, clock });
    await waitUntil(() => clock.pending === 1, { state: () => clock.pending });

    expect((await post(leader.port, { n: 1 })).status).toBe(204);
    expect([leader.events, other.events, leader.relay.followerCount]).toEqual([[{ n: 1 }], [], 0]);
  });

  test('permits only its user to connect to its socket', async () => {
    await using directory = await TemporaryDirectory.create();
    await using leader = await CollectingRelay.start(directory);
    const socket = directory.path(`state/hooks/${leader.port}.sock`);
    await waitUntil(
      async () =>
        await stat(socket).then(
          () => true,
          () => false,
        ),
      { state: () => 'no socket' },
    );
    await waitUntil(async () => ((await stat(socket)).mode & 0o777) === 0o600, { state: () => 'other mode' });

    expect((await stat(directory.path('state/hooks'))).mode & 0o777).toBe(0o700);
  });

  test('rejects events without the token, of pages of other origins, of other programs and above the largest size', async () => {
    await using directory = await TemporaryDirectory.create();
    await using leader = await CollectingRelay.start(directory, { token: 'secret' });
    const { port } = leader;
    const authorization = 'Bearer secret';

    expect((await post(port, {})).status).toBe(401);
    expect((await post(port, {}, { authorization: 'Bearer wrong' })).status).toBe(401);
    expect((await post(port, {}, { authorization, origin: 'https://example.com' })).status).toBe(403);
    expect((await post(port, {}, { authorization }, 'unknown')).status).toBe(404);
    expect((await post(port, 'x'.repeat(17 * 1024 * 1024), { authorization })).status).toBe(413);
    expect((await post(port, 'no json', { authorization })).status).toBe(204);
    expect([leader.events, leader.malformed]).toEqual([[], 1]);
    expect(await (await post(port, {}, { authorization })).text()).toBe('');
    expect(leader.events).toEqual([{}]);
  });
});

async function statusesOf(mcp: McpSession): Promise<readonly string[]> {
  const { agents } = agentListSchema.parse((await mcp.callTool('list_agents', {}, CALL)).value);
  return agents.map((agent) => observedAgentSchema.parse(agent).status);
}

test('an observer in a process of its own receives events through another observer, and takes its place', async () => {
  await using directory = await ObservedDirectory.create();
  await directory.write(path, prompt(0) + call(1, 'a'));
  const first = await runObserver(observerOptions(directory, { hooksPort: 0 }), {
    stdin: new PassThrough(),
    stdout: new PassThrough(),
  });
  await waitUntil(() => first.hooks?.url != null, { state: () => 'not leading' });
  const port = Number(new URL(first.hooks?.url ?? '').port);
  const args = [PROGRAM, 'observe', 'claude-code', '--hooks-port', String(port), '--root', directory.root];
  const env = { XDG_STATE_HOME: directory.outside('state'), LOG_LEVEL: 'silent' };
  await using mcp = await connectSession(
    { type: 'stdio', command: process.execPath, args, cwd: process.cwd(), env },
    connectOptions({}),
  );
  await waitUntil(() => first.hooks?.followerCount === 1, { state: () => first.hooks?.followerCount });
  expect(await statusesOf(mcp)).toEqual(['working']);

  // The events that an installation configures are sent to the installed URL.
  const [group] = createHooks('claude-code', { port, sendsToken: false })['PermissionRequest'] ?? [];
  const url = String(group?.hooks[0]?.['url']);
  const send = (event: object): Promise<Response> => fetch(url, { method: 'POST', body: JSON.stringify(event) });
  await send(PERMISSION);
  await waitUntil(async () => (await statusesOf(mcp))[0] === 'waiting', { state: () => 'not waiting' });

  await first[Symbol.asyncDispose]();
  const end = { session_id: session, hook_event_name: 'Stop' };
  await waitUntil(
    () =>
      send(end).then(
        ({ status }) => status === 204,
        () => false,
      ),
    { state: () => 'refused' },
  );
  await waitUntil(async () => (await statusesOf(mcp))[0] === 'idle', { state: () => 'not idle' });
});

test('an observer ignores events of sessions in another directory', async () => {
  await using directory = await ObservedDirectory.create();
  await using observer = directory.observe({ givenRoot: '/home/dev/.claude' });
  await observer.ready;
  const send = (id: string, root: string): void =>
    observer.applyHook({ ...PERMISSION, session_id: id, transcript_path: `${root}/projects/-home-dev/${id}.jsonl` });
  send('real', directory.root);
  send('given', '/home/dev/.claude');
  send('other', '/home/dev/.claude-work');
  send('above', `${directory.root}/..`);
  await observer.settled();

  expect([...agentsOf(observer).keys()].sort()).toEqual(['given', 'real']);
});

test.each(['claude-code', 'codex'])(
  'an observer of %s remembers a bounded number of sessions of hooks',
  async (source) => {
    await using directory = await ObservedDirectory.create();
    await directory.write(path, prompt(0));
    const { createClaudeCodeSource, createCodexSource, PriceList } = await import('../../src/observers/index.js');
    const options = { shownText: 'none', prices: new PriceList() } as const;
    await using observer = directory.observe({
      source: source === 'codex' ? createCodexSource(options) : createClaudeCodeSource(options),
    });
    await observer.ready;
    const hook = { hook_event_name: 'UserPromptSubmit' };
    for (const id of [session, ...Array.from({ length: 1_500 }, (_, index) => `invented-${index}`)]) {
      observer.applyHook({ ...hook, session_id: id });
      if (id === 'invented-700') await observer.settled();
    }
    await observer.settled();

    const agents = agentsOf(observer);
    expect(agents.size).toBe(source === 'codex' ? 1_000 : 1_001);
    expect(agents.has('invented-1499')).toBe(true);
    expect(agents.has('invented-1')).toBe(false);
  },
);
