import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { createSwarmClient, type SwarmClient, ViewerDocument } from '@swarmlens/client';
import type { SwarmlensEvent } from '../../src/model/index.js';
import { emptyDelta } from '../../src/state/index.js';
import { EPOCH_TIME, serverOf } from '../support/arbitraries.js';
import { messageWith, taskWith } from '../state/fixed-state.js';
import { DeliveryServer } from '../support/delivery-server.js';
import { Relay } from '../support/relay.js';
import { countSent, recorder, until } from './wait-for-snapshot.js';

let server: DeliveryServer;
let relay: Relay;

beforeAll(async () => {
  server = await DeliveryServer.start();
  server.show(0, 3, 0);
  relay = await Relay.start(server.url);
});

afterAll(async () => {
  await relay[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

function connect(webSocketImpl: unknown = WebSocket): SwarmClient {
  return createSwarmClient({ url: relay.url, webSocketImpl, retryDelayMs: 1, maxRetryDelayMs: 5 });
}

function commitEvents(...events: readonly SwarmlensEvent[]): void {
  server.store.commit({ ...emptyDelta('x'), events });
}

function createNotice(message: string): SwarmlensEvent {
  return { type: 'notice', code: 'TEST', severity: 'INFO', message, serverId: null, timestamp: EPOCH_TIME };
}

/** Resolves when the server has handled everything sent before. */
async function roundTrip(client: SwarmClient): Promise<void> {
  await client.query(ViewerDocument);
}

describe('NoticeStream', () => {
  test('yields each notice once and keeps the last ones in its snapshot', async () => {
    await using client = connect();
    const notices = client.notices({ maxNotices: 2 });
    const leave = notices.subscribe(() => undefined);
    await until(notices, ({ status }) => status === 'LIVE');
    const each = notices[Symbol.asyncIterator]();
    const first = each.next();
    await roundTrip(client);
    commitEvents(createNotice('one'), createNotice('two'), createNotice('three'), createNotice('four'));
    expect((await first).value).toMatchObject({ message: 'one', code: 'TEST' });
    const { notices: kept, missed } = await until(notices, ({ notices: now }) => now.at(-1)?.message === 'four');
    expect(kept.map(({ message }) => message)).toEqual(['three', 'four']);
    expect(missed).toBe(0);
    expect([(await each.next()).value, (await each.next()).value]).toMatchObject([
      { message: 'three' },
      { message: 'four' },
    ]);
    leave();
  });

  test('resumes after a lost connection', async () => {
    await using client = connect();
    const notices = client.notices();
    const leave = notices.subscribe(() => undefined);
    await roundTrip(client);
    relay.cut();
    await until(client.connection, ({ status }) => status === 'RECONNECTING');
    await roundTrip(client);
    commitEvents(createNotice('after'));
    await until(notices, ({ notices: now }) => now.at(-1)?.message === 'after');
    leave();
  });
});

describe('HealthStream', () => {
  test('polls when it is observed, and immediately after a health change', async () => {
    const recorded = recorder();
    await using client = connect(recorded.webSocketImpl);
    // Longer than any test, so that only a health change triggers a poll.
    const health = client.health({ pollIntervalMs: 3_600_000 });
    expect(health.getSnapshot()).toMatchObject({ status: 'IDLE', health: null, changes: [] });
    const leave = health.subscribe(() => undefined);
    const first = await until(health, ({ status }) => status === 'LIVE');
    expect(first.health?.servers.map(({ id, status }) => [id, status])).toEqual([['x', 'ONLINE']]);
    await roundTrip(client);
    const offline = { ...serverOf('x', true), status: 'OFFLINE' as const };
    const states = { previousCircuitState: 'CLOSED', circuitState: 'CLOSED', replicaId: null, reason: 'gone' } as const;
    server.store.commit({ ...emptyDelta('x'), server: offline });
    commitEvents({
      type: 'health',
      serverId: 'x',
      previousStatus: 'ONLINE',
      status: 'OFFLINE',
      timestamp: EPOCH_TIME,
      ...states,
    });
    const then = await until(health, (now) => now.health?.servers[0]?.status === 'OFFLINE');
    expect(then.changes).toMatchObject([{ serverId: 'x', status: 'OFFLINE', reason: 'gone' }]);
    leave();
    server.store.commit({ ...emptyDelta('x'), server: serverOf('x') });
  });

  test('polls repeatedly, one poll at a time, only while it is observed', async () => {
    const recorded = recorder();
    await using client = connect(recorded.webSocketImpl);
    const health = client.health({ pollIntervalMs: 1 });
    let received = 0;
    for await (const { health: now } of health) {
      expect(now?.uptimeMs).toBeGreaterThan(0);
      received += 1;
      if (received === 5) break;
    }
    const countPolls = (): number =>
      recorded.sent.filter(({ payload }) => payload?.query?.startsWith('query Health') === true).length;
    const before = countPolls();
    expect(before).toBeGreaterThanOrEqual(5);
    for (let turn = 0; turn < 10; turn += 1) await roundTrip(client);
    expect(countPolls()).toBe(before);
  });
});

describe('TopologyStream', () => {
  test('holds swarms and edges and resumes from its cursor', async () => {
    const recorded = recorder();
    await using client = connect(recorded.webSocketImpl);
    const topology = client.topology({ mode: 'HIGH_FREQUENCY' });
    const leave = topology.subscribe(() => undefined);
    await until(topology, ({ status }) => status === 'LIVE');
    const edge = { serverId: 'x', swarmId: 'x:s', from: 'x:0', to: 'x:1', relation: 'leads', inferred: false };
    server.store.commit({ ...emptyDelta('x'), edges: [{ id: 'x:s|0|1', ...edge }] });
    const { edges } = await until(topology, (now) => now.edges.size === 1);
    expect([...edges.values()]).toMatchObject([{ from: 'x:0', to: 'x:1', relation: 'leads', inferred: false }]);
    relay.cut();
    await until(client.connection, ({ status }) => status === 'RECONNECTING');
    server.store.commit({ ...emptyDelta('x'), removedEdgeIds: ['x:s|0|1'] });
    await until(topology, (now) => now.edges.size === 0);
    expect(countSent(recorded, 'TopologyUpdates')).toBe(2);
    expect(recorded.received.filter((text) => text.includes('"kind":"SNAPSHOT","cursor"'))).toHaveLength(1);
    leave();
  });
});

describe('TaskStream', () => {
  test('holds the matching tasks and resumes from its cursor', async () => {
    const recorded = recorder();
    await using client = connect(recorded.webSocketImpl);
    const stream = client.tasks({ agentIds: ['x:1'], mode: 'HIGH_FREQUENCY' });
    const leave = stream.subscribe(() => undefined);
    await until(stream, ({ status }) => status === 'LIVE');
    const mine = taskWith('t', { agentIds: ['x:1'] });
    const kept = taskWith('kept', { agentIds: ['x:1', 'x:2'] });
    server.store.commit({ ...emptyDelta('x'), tasks: [mine, kept, taskWith('other')] });
    const before = await until(stream, ({ tasks }) => tasks.size === 2);
    expect([...before.tasks.values()]).toEqual([mine, kept]);
    relay.cut();
    await until(client.connection, ({ status }) => status === 'RECONNECTING');
    server.store.commit({ ...emptyDelta('x'), removedTaskIds: ['x:t'] });
    const after = await until(stream, ({ tasks }) => tasks.size === 1);
    expect(after.tasks.get('x:kept')).toBe(before.tasks.get('x:kept'));
    expect(countSent(recorded, 'TaskUpdates')).toBe(2);
    expect(recorded.received.filter((text) => text.includes('"kind":"SNAPSHOT"'))).toHaveLength(1);
    leave();
  });
});

describe('MessageStream', () => {
  test('yields each matching message once and keeps the last ones in its snapshot', async () => {
    await using client = connect();
    const stream = client.messages({ swarmIds: ['x:s'] });
    const leave = stream.subscribe(() => undefined);
    await until(stream, ({ status }) => status === 'LIVE');
    const first = stream[Symbol.asyncIterator]().next();
    await roundTrip(client);
    commitEvents(messageWith('one'), messageWith('hidden', { swarmId: null }), messageWith('two'));
    expect((await first).value).toMatchObject({
      id: 'x:one',
      fromAgentId: 'x:a',
      toAgentIds: ['x:b', 'x:c'],
      missed: 0,
    });
    const { messages } = await until(stream, (now) => now.messages.length === 2);
    expect(messages.map(({ id }) => id)).toEqual(['x:one', 'x:two']);
    leave();
  });
});

describe('MetricsStream', () => {
  test('yields the current metrics and every change', async () => {
    await using client = connect();
    const totals: number[] = [];
    for await (const { metrics } of client.metrics({ mode: 'HIGH_FREQUENCY' })) {
      totals.push(metrics?.totalAgents ?? 0);
      if (totals.length === 2) break;
      server.show(3, 5, 0);
    }
    expect(totals).toEqual([3, 5]);
    server.remove(['x:3', 'x:4']);
  });
});
