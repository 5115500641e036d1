import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { createSwarmClient, type SwarmClient, ViewerDocument } from '@swarmlens/client';
import type { SwarmlensEvent } from '../../src/model/index.js';
import { emptyDelta } from '../../src/state/index.js';
import { EPOCH_TIME, serverOf } from '../support/arbitraries.js';
import { DeliveryServer } from '../support/delivery-server.js';
import { Relay } from '../support/relay.js';
import { countOf, recorder, until } from './wait-for-snapshot.js';

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

function happen(...events: readonly SwarmlensEvent[]): void {
  server.store.commit({ ...emptyDelta('x'), events });
}

function noticeOf(message: string): SwarmlensEvent {
  return { type: 'notice', code: 'TEST', severity: 'INFO', message, serverId: null, timestamp: EPOCH_TIME };
}

/** What was sent before has been answered, and so has what runs over the connection begun. */
async function begun(client: SwarmClient): Promise<void> {
  await client.query(ViewerDocument);
}

describe('notices', () => {
  test('come as they happen, each once; the last of them are kept', async () => {
    await using client = connect();
    const notices = client.notices({ maxNotices: 2 });
    const leave = notices.subscribe(() => undefined);
    await until(notices, ({ status }) => status === 'LIVE');
    const each = notices[Symbol.asyncIterator]();
    const first = each.next();
    await begun(client);
    happen(noticeOf('one'), noticeOf('two'), noticeOf('three'), noticeOf('four'));
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

  test('go on after a lost connection', async () => {
    await using client = connect();
    const notices = client.notices();
    const leave = notices.subscribe(() => undefined);
    await begun(client);
    relay.cut();
    await until(client.connection, ({ status }) => status === 'RECONNECTING');
    await begun(client);
    happen(noticeOf('after'));
    await until(notices, ({ notices: now }) => now.at(-1)?.message === 'after');
    leave();
  });
});

describe('health', () => {
  test('is looked at when somebody looks, and at once when the server tells of a change', async () => {
    const recorded = recorder();
    await using client = connect(recorded.webSocketImpl);
    // Longer than any test: only what is told makes it look again.
    const health = client.health({ pollIntervalMs: 3_600_000 });
    expect(health.getSnapshot()).toMatchObject({ status: 'IDLE', health: null, changes: [] });
    const leave = health.subscribe(() => undefined);
    const first = await until(health, ({ status }) => status === 'LIVE');
    expect(first.health?.servers.map(({ id, status }) => [id, status])).toEqual([['x', 'ONLINE']]);
    await begun(client);
    const offline = { ...serverOf('x', true), status: 'OFFLINE' as const };
    const states = { previousCircuitState: 'CLOSED', circuitState: 'CLOSED', replicaId: null, reason: 'gone' } as const;
    server.store.commit({ ...emptyDelta('x'), server: offline });
    happen({
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

  test('is looked at again and again, one look at a time, and never when nobody looks', async () => {
    const recorded = recorder();
    await using client = connect(recorded.webSocketImpl);
    const health = client.health({ pollIntervalMs: 1 });
    let seen = 0;
    for await (const { health: now } of health) {
      expect(now?.uptimeMs).toBeGreaterThan(0);
      seen += 1;
      if (seen === 5) break;
    }
    const looks = (): number =>
      recorded.sent.filter(({ payload }) => payload?.query?.startsWith('query Health') === true).length;
    const before = looks();
    expect(before).toBeGreaterThanOrEqual(5);
    for (let turn = 0; turn < 10; turn += 1) await begun(client);
    expect(looks()).toBe(before);
  });
});

describe('topology', () => {
  test('is the swarms and edges, and resumes with its cursor', async () => {
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
    expect(countOf(recorded, 'TopologyUpdates')).toBe(2);
    expect(recorded.received.filter((text) => text.includes('"kind":"SNAPSHOT","cursor"'))).toHaveLength(1);
    leave();
  });
});

describe('metrics', () => {
  test('are what the agents do together, now and when it is something else', async () => {
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
