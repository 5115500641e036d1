import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createSwarmClientWithRuntime } from '../../packages/client/src/create-client.js';
import {
  type AgentStreamUpdate,
  type AgentStream,
  createSwarmClient,
  OperationError,
  type SwarmClient,
  ViewerDocument,
} from '@swarmlens/client';
import { DeliveryServer } from '../support/delivery-server.js';
import { ManualClock } from '../support/manual-clock.js';
import { Relay } from '../support/relay.js';
import { countSent, recorder, type Recorder, until } from './wait-for-snapshot.js';
import { manualRuntime } from './manual-runtime.js';
import { ScriptedServer, welcome } from './scripted-server.js';

let server: DeliveryServer;
let relay: Relay;

beforeAll(async () => {
  server = await DeliveryServer.start();
  relay = await Relay.start(server.url);
});

afterAll(async () => {
  await relay[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

beforeEach(() => server.show(0, 3, 0));

interface Watcher extends AsyncDisposable {
  readonly client: SwarmClient;
  readonly stream: AgentStream;
  readonly recorded: Recorder;
  /** Removes the listener. */
  readonly leave: () => void;
}

/** Observes a stream until it is live. */
async function watch(): Promise<Watcher> {
  const recorded = recorder();
  const { webSocketImpl } = recorded;
  const client = createSwarmClient({ url: relay.url, webSocketImpl, retryDelayMs: 1, maxRetryDelayMs: 5 });
  const stream = client.agents({}, 'HIGH_FREQUENCY');
  const leave = stream.subscribe(() => undefined);
  await until(stream, ({ status }) => status === 'LIVE');
  return { client, stream, recorded, leave, [Symbol.asyncDispose]: () => client.dispose() };
}

const named = (round: number, index = 1) => `agent ${index} in round ${round}`;

/** Resolves when the stream holds agent 1 of that round. */
async function untilRound({ stream }: Pick<Watcher, 'stream'>, round: number): Promise<void> {
  await until(stream, ({ agents }) => agents.get('x:1')?.name === named(round));
}

/** Counts the agent snapshots received over the socket. */
function countSnapshots({ received }: Recorder): number {
  return received.filter((text) => text.includes('"kind":"SNAPSHOT"') && text.includes('"agents"')).length;
}

describe('AgentStream as a store', () => {
  test('keeps its snapshot until something changes, then keeps unchanged agents', async () => {
    await using watcher = await watch();
    const { stream, client } = watcher;
    const before = stream.getSnapshot();
    await client.query(ViewerDocument);
    expect(stream.getSnapshot()).toBe(before);
    server.show(1, 2, 1);
    await untilRound(watcher, 1);
    const after = stream.getSnapshot();
    expect(before.agents.get('x:1')?.name).toBe(named(0));
    expect(after).not.toBe(before);
    expect(after.agents.get('x:0')).toBe(before.agents.get('x:0'));
    expect(after.edges).toBe(before.edges);
    expect(after.cursor).not.toBe(before.cursor);
    expect(after).toMatchObject({ status: 'LIVE', error: null, staleServerIds: [], rate: { requestedHz: 60 } });
  });

  test('completes when the last listener leaves and resumes with the next one', async () => {
    await using watcher = await watch();
    const { stream, recorded, client, leave } = watcher;
    // The server responds in order, so everything before has been sent.
    await client.query(ViewerDocument);
    const leaveToo = stream.subscribe(() => undefined);
    leave();
    expect(stream.getSnapshot().status).toBe('LIVE');
    leaveToo();
    expect(stream.getSnapshot()).toMatchObject({ status: 'IDLE', error: null });
    expect(stream.getSnapshot().agents.size).toBe(3);
    server.show(1, 2, 1);
    await client.query(ViewerDocument);
    expect(stream.getSnapshot().agents.get('x:1')?.name).toBe(named(0));
    expect(recorded.sent.filter(({ type }) => type === 'complete')).toHaveLength(2);
    await untilRound(watcher, 1);
    expect(countSnapshots(recorded)).toBe(1);
  });
});

describe('AgentStream resumes', () => {
  test('from its cursor after a lost connection, and keeps its agents meanwhile', async () => {
    await using watcher = await watch();
    const { stream, client, recorded } = watcher;
    relay.cut();
    await until(client.connection, ({ status }) => status === 'RECONNECTING');
    expect(stream.getSnapshot()).toMatchObject({ status: 'WAITING', error: null });
    expect(stream.getSnapshot().agents.size).toBe(3);
    server.show(1, 2, 1);
    await untilRound(watcher, 1);
    expect(countSnapshots(recorded)).toBe(1);
    expect(recorded.sockets).toHaveLength(2);
  });

  test('with new filters on the same connection, without a snapshot', async () => {
    await using watcher = await watch();
    const { stream, recorded } = watcher;
    const { cursor } = stream.getSnapshot();
    stream.updateRequest({ agentTypes: ['coder'], mode: undefined });
    expect(stream.getSnapshot().request).toMatchObject({ agentTypes: ['coder'], mode: 'HIGH_FREQUENCY' });
    await until(stream, ({ agents }) => [...agents.keys()].join() === 'x:0,x:2');
    expect(recorded.sent.at(-1)?.payload?.variables).toMatchObject({ agentTypes: ['coder'], after: cursor });
    stream.updateRequest({ agentTypes: null });
    await until(stream, ({ agents }) => agents.size === 3);
    expect(countSnapshots(recorded)).toBe(1);
    expect(recorded.sockets).toHaveLength(1);
  });

  test('in a new mode, without parts that are no longer included', async () => {
    await using watcher = await watch();
    const { stream } = watcher;
    stream.updateRequest({ mode: 'NORMAL', includePerformance: false });
    const { rate, agents } = await until(stream, (snapshot) => snapshot.rate?.requestedHz === 10);
    expect(rate?.effectiveHz).toBeGreaterThan(0);
    expect(agents.get('x:1')?.performance).toBeNull();
  });

  test('without sending anything when the request does not change', async () => {
    await using watcher = await watch();
    const { stream, recorded, client } = watcher;
    const before = stream.getSnapshot();
    stream.updateRequest({ mode: 'HIGH_FREQUENCY', agentTypes: null });
    await client.query(ViewerDocument);
    expect(stream.getSnapshot()).toBe(before);
    expect(countSent(recorded, 'AgentPatches')).toBe(1);
  });

  test('with a snapshot when the server does not know the cursor', async () => {
    await using other = await DeliveryServer.start();
    other.show(5, 7, 0);
    await using watcher = await watch();
    relay.target = other.url;
    relay.cut();
    await until(watcher.stream, ({ agents }) => [...agents.keys()].join() === 'x:5,x:6');
    expect(countSnapshots(watcher.recorded)).toBe(2);
    relay.target = server.url;
  });
});

describe('AgentStream iteration', () => {
  test('yields the current agents first, then changes', async () => {
    await using watcher = await watch();
    const updates = watcher.stream[Symbol.asyncIterator]();
    const first = (await updates.next()) as IteratorYieldResult<AgentStreamUpdate>; // it has not ended
    expect(first.value).toMatchObject({
      kind: 'SNAPSHOT',
      removedAgentIds: [],
      snapshot: watcher.stream.getSnapshot(),
    });
    expect(first.value.agents).toHaveLength(3);
    server.show(1, 2, 1);
    const { value } = (await updates.next()) as IteratorYieldResult<AgentStreamUpdate>; // as above
    expect(value.kind).toBe('DELTA');
    expect(value.agents.map(({ name }) => name)).toEqual([named(1)]);
    await updates.return?.();
    expect(await updates.next()).toEqual({ done: true, value: undefined });
  });

  test('conflates updates while the consumer is busy', async () => {
    await using watcher = await watch();
    const updates = watcher.stream[Symbol.asyncIterator]();
    await updates.next();
    for (const round of [1, 2, 3]) {
      server.show(1, 2, round);
      await untilRound(watcher, round);
    }
    server.show(3, 5, 0);
    await until(watcher.stream, ({ agents }) => agents.size === 5);
    server.remove(['x:1', 'x:4']);
    await until(watcher.stream, ({ agents }) => agents.size === 3);
    const { value } = (await updates.next()) as IteratorYieldResult<AgentStreamUpdate>; // it has not ended
    expect(value.kind).toBe('DELTA');
    expect(value.agents.map(({ id }) => id)).toEqual(['x:3']);
    expect([...value.removedAgentIds].sort()).toEqual(['x:1', 'x:4']);
    expect(value.snapshot).toBe(watcher.stream.getSnapshot());
    server.remove(['x:3']);
  });

  test('yields an unconsumed snapshot before the following delta', async () => {
    await using watcher = await watch();
    const { stream } = watcher;
    stream.updateRequest({ agentTypes: [] });
    await until(stream, ({ agents }) => agents.size === 0);
    const updates = stream[Symbol.asyncIterator]();
    const first = updates.next();
    stream.updateRequest({ agentTypes: null });
    await until(stream, ({ agents }) => agents.size === 3);
    expect((await first).value).toMatchObject({ kind: 'SNAPSHOT', agents: [] });
    expect((await updates.next()).value).toMatchObject({ kind: 'DELTA', agents: [{}, {}, {}] });
  });

  test('stops the stream when the loop is left, and ends when the stream is disposed', async () => {
    await using watcher = await watch();
    const { stream, leave } = watcher;
    leave();
    for await (const { kind } of stream) if (kind === 'SNAPSHOT') break;
    expect(stream.getSnapshot().status).toBe('IDLE');
    const updates = stream[Symbol.asyncIterator]();
    await updates.next();
    const last = updates.next();
    stream.dispose();
    expect(await last).toEqual({ done: true, value: undefined });
    expect(stream.getSnapshot()).toMatchObject({ status: 'ENDED', error: null });
    for await (const _update of stream) throw new Error('unexpected update');
  });
});

describe('AgentStream after an error', () => {
  test('ends with the code of the server when the request is invalid', async () => {
    await using watcher = await watch();
    const { stream } = watcher;
    const updates = stream[Symbol.asyncIterator]();
    await updates.next();
    const last = updates.next();
    stream.updateRequest({ agentTypes: ['\u0000'] });
    await expect(last).rejects.toThrow(OperationError);
    expect(stream.getSnapshot()).toMatchObject({ status: 'ENDED', error: { code: 'BAD_USER_INPUT' } });
    await expect(stream[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
    expect(watcher.client.connection.getSnapshot().status).toBe('OPEN');
  });

  test.each([
    ['SERVER_UNAVAILABLE', {}, 375],
    ['RATE_LIMITED', { retryAfterMs: 5_000 }, 5_000],
  ])('waits and retries when the code is %s', async (code, more, afterMs) => {
    await using scripted = await ScriptedServer.start((socket, type, id) => {
      welcome(socket, type);
      const payload = [{ message: 'not now', extensions: { code, ...more } }];
      if (type === 'subscribe') socket.send(JSON.stringify({ id, type: 'error', payload }));
    });
    const clock = new ManualClock();
    const { webSocketImpl } = recorder();
    await using client = createSwarmClientWithRuntime({ url: scripted.url, webSocketImpl }, manualRuntime(clock));
    const stream = client.agents();
    const leave = stream.subscribe(() => undefined);
    const { error } = await until(stream, (snapshot) => snapshot.error !== null);
    expect(error).toMatchObject({ message: 'not now', code });
    expect(stream.getSnapshot().status).toBe('WAITING');
    const countSubscribes = (): number => scripted.received.filter(({ type }) => type === 'subscribe').length;
    clock.advance(afterMs - 1);
    await client.query(ViewerDocument).catch(() => undefined);
    expect(countSubscribes()).toBe(2);
    clock.advance(1);
    await client.query(ViewerDocument).catch(() => undefined);
    expect(countSubscribes()).toBe(4);
    leave();
  });

  test('ends when its signal aborts', async () => {
    await using watcher = await watch();
    const abort = new AbortController();
    const stream = watcher.client.agents({}, 'NORMAL', { signal: abort.signal });
    await until(stream, ({ status }) => status === 'LIVE');
    abort.abort();
    expect(stream.getSnapshot().status).toBe('ENDED');
    const late = watcher.client.agents({}, 'NORMAL', { signal: abort.signal });
    expect(late.getSnapshot().status).toBe('ENDED');
  });
});
