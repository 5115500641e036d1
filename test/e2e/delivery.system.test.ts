import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import type { DeliveryOptions } from '../../src/server/index.js';
import {
  ask,
  RawStreamClient,
  DeliveryServer,
  queryAgentNames,
  type StreamedUpdate,
} from '../support/delivery-server.js';
import { ManualClock } from '../support/manual-clock.js';
import { waitUntil } from '../support/wait.js';

const AGENTS = 400;
/** Value of `maxBufferedBytes` on the server. */
const MARK = 65_536;

interface Connections {
  readonly open: number;
  readonly slow: number;
  readonly unsentBytes: number;
}

async function connections(server: DeliveryServer): Promise<Connections> {
  const query = '{ health { connections { open slow unsentBytes } } }';
  return (await ask<{ health: { connections: Connections } }>(server, query)).health.connections;
}

/** Connects a client that has received its snapshot. */
async function connectReader(server: DeliveryServer): Promise<RawStreamClient> {
  const client = await RawStreamClient.connect(server);
  client.subscribe();
  await client.until(({ updates }) => updates.length === 1);
  return client;
}

/** Server with a manual clock, a client that reads and a client that has stopped reading. */
class Stalled implements AsyncDisposable {
  readonly clock: ManualClock;
  readonly server: DeliveryServer;
  readonly quick: RawStreamClient;
  readonly slow: RawStreamClient;
  round = 0;
  /** Time in milliseconds before the turn in which the unsent bytes exceeded the mark. */
  slowAfterMs = 0;

  private constructor(parts: Pick<Stalled, 'clock' | 'server' | 'quick' | 'slow'>) {
    ({ clock: this.clock, server: this.server, quick: this.quick, slow: this.slow } = parts);
  }

  /** Resolves when the unsent bytes of the client that has stopped reading exceed the mark. */
  static async start(delivery: Partial<DeliveryOptions> = {}): Promise<Stalled> {
    const clock = new ManualClock();
    const server = await DeliveryServer.start(delivery, { clock, utilization: () => 0 });
    server.show(0, AGENTS, 0);
    const stage = new Stalled({ clock, server, quick: await connectReader(server), slow: await connectReader(server) });
    stage.slow.socket.pause();
    while ((await connections(server)).slow === 0) {
      stage.slowAfterMs = clock.monotonic();
      await stage.turn();
    }
    return stage;
  }

  /** Changes all agents, and advances the clock until these clients have received an update. */
  async turn(clients: readonly RawStreamClient[] = [this.quick]): Promise<void> {
    const before = clients.map(({ updates }) => updates.length);
    this.round += 1;
    this.server.show(0, AGENTS, this.round);
    await this.passUntil(() => clients.every(({ updates }, index) => updates.length > (before[index] ?? 0)));
  }

  /** Advances the clock by ticks until the condition holds. One tick may not suffice, because an update may still be in progress. */
  async passUntil(isReached: () => boolean): Promise<void> {
    const isReachedAfterTick = async (): Promise<boolean> => {
      await this.clock.pass(TICK_MS);
      return isReached();
    };
    const { clock, quick, slow } = this;
    const state = (): object => ({
      passedMs: clock.monotonic(),
      updates: [quick, slow].map(({ updates }) => updates.length),
    });
    await waitUntil(isReachedAfterTick, { state, intervalMs: 1 });
  }

  async turns(count: number, clients?: readonly RawStreamClient[]): Promise<void> {
    for (let turn = 0; turn < count; turn += 1) await this.turn(clients);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.quick[Symbol.asyncDispose]();
    await this.slow[Symbol.asyncDispose]();
    await waitUntil(() => this.server.active.size === 0, { state: () => this.server.active.size });
    await this.server[Symbol.asyncDispose]();
  }
}

/** Time in milliseconds that is slightly longer than a period of HIGH_FREQUENCY. */
const TICK_MS = 17;

function newestRound(updates: readonly StreamedUpdate[]): number {
  const rounds = updates.flatMap(({ agents }) => agents.map(({ name }) => Number(name.split(' ').at(-1))));
  return Math.max(...rounds);
}

describe('backpressure', () => {
  test('skips a client that stops reading and sends it one delta when it reads again', async () => {
    await using stage = await Stalled.start();
    const { server, quick, slow } = stage;
    // Fills the buffers of the operating system before the measurement.
    await stage.turns(5);
    const before = (await connections(server)).unsentBytes;
    const lastSent = stage.round;
    await stage.turns(60);
    server.remove(['x:0', 'x:7']);
    expect((await connections(server)).unsentBytes).toBeLessThanOrEqual(before);
    expect(before).toBeLessThan(2 * MARK);
    expect(quick.updates.every(({ rate }) => rate.effectiveHz === 60)).toBe(true);

    const received = slow.updates.length;
    slow.socket.resume();
    await stage.passUntil(() => !slow.agentNames.has('x:7'));
    expect(slow.agentNames).toEqual(await queryAgentNames(server));
    // Updates in flight arrive first, then one delta with all other changes.
    const late = slow.updates.slice(received).filter((update) => newestRound([update]) > lastSent);
    expect(late).toHaveLength(1);
    expect(late[0]?.kind).toBe('DELTA');
    expect(late[0]?.rate.effectiveHz).toBeLessThan(10);
    expect(slow.updates.filter(({ kind }) => kind === 'SNAPSHOT')).toHaveLength(1);

    await stage.turns(60, [quick, slow]);
    expect(slow.updates.at(-1)?.rate.effectiveHz).toBe(60);
    expect(server.errors).toEqual([]);
  });

  test('buffers less than five snapshots for 100 different subscriptions of a slow client', async () => {
    await using server = await DeliveryServer.start();
    server.show(0, 2_000, 0);
    await using client = await RawStreamClient.connect(server);
    client.socket.pause();
    const SUBSCRIPTIONS = 100;
    for (let index = 0; index < SUBSCRIPTIONS; index += 1) {
      client.subscribe(`mode: NORMAL, agentTypes: ["coder", "tester", "${index}"]`, `${index}`);
    }
    await waitUntil(() => server.active.size === SUBSCRIPTIONS, { state: () => server.active.size });
    await waitUntil(async () => (await connections(server)).slow === 1, { state: () => server.active.size });
    const { unsentBytes } = await connections(server);
    client.socket.resume();
    await client.until(({ updates }) => updates.length >= SUBSCRIPTIONS);
    const snapshotBytes = client.bytes / client.updates.length;
    expect(snapshotBytes).toBeGreaterThan(200_000);
    expect(unsentBytes).toBeLessThan(snapshotBytes * 5);
  });

  test('closes a client with 1013 after maxSlowMs, and the client resumes with its cursor', async () => {
    const maxSlowMs = 3_000;
    await using stage = await Stalled.start({ maxSlowMs });
    const { clock, server, slow } = stage;
    const closed = once(slow.socket, 'close');
    const slowBeforeMs = clock.monotonic();
    await clock.pass(stage.slowAfterMs + maxSlowMs - 1 - slowBeforeMs, TICK_MS);
    expect((await connections(server)).open).toBe(2);
    const isClosedAfterTick = async (): Promise<boolean> => {
      await clock.pass(TICK_MS);
      return (await connections(server)).open === 1;
    };
    await waitUntil(isClosedAfterTick, { state: () => clock.monotonic() });
    // The server checks ten times per `maxSlowMs`.
    expect(clock.monotonic()).toBeLessThan(slowBeforeMs + 1.5 * maxSlowMs);
    slow.socket.resume();
    expect((await closed)[0]).toBe(1013);
    await clock.pass(TICK_MS);
    const cursor = slow.updates.at(-1)?.cursor ?? '';
    await using back = await RawStreamClient.connect(server);
    for (const [id, name] of slow.agentNames) back.agentNames.set(id, name);
    back.subscribe(`mode: HIGH_FREQUENCY, after: "${cursor}"`);
    await back.until(({ updates }) => updates.length === 1);
    expect(back.updates[0]?.kind).toBe('DELTA');
    expect(back.agentNames).toEqual(await queryAgentNames(server));
  });
});

describe('subscription groups', () => {
  test('are disposed after 1,000 subscriptions on one socket', async () => {
    await using server = await DeliveryServer.start({}, {}, { maxMessagesPerSecond: 2_000 });
    server.show(0, 5, 0);
    await using client = await RawStreamClient.connect(server, true);
    for (let round = 0; round < 1_000; round += 1) {
      client.subscribe(`mode: HIGH_FREQUENCY, agentTypes: ["coder", "${round % 3}"]`, `${round}`);
      if (round % 10 === 0) await client.until(({ updates }) => updates.at(-1)?.agents.length === 3);
      client.socket.send(JSON.stringify({ id: `${round}`, type: 'complete' }));
      if (round % 10 === 0) client.updates.length = 0;
    }
    client.subscribe('mode: ON_DEMAND', 'last');
    await client.until(({ updates }) => updates.at(-1)?.agents.length === 5);
    expect([server.groups.size, server.groups.tickerCount, server.active.size, server.demand.size]).toEqual([
      1, 1, 1, 1,
    ]);
    await client[Symbol.asyncDispose]();
    await waitUntil(() => server.active.size === 0, { state: () => server.active.size });
    expect([server.groups.size, server.groups.tickerCount, server.demand.size]).toEqual([0, 0, 0]);
  });
});

describe('WebSocket server', () => {
  test('disposes all subscriptions of a client that opened 3,000 at once', async () => {
    await using server = await DeliveryServer.start();
    server.show(0, 5, 0);
    await using client = await RawStreamClient.connect(server);
    for (let index = 0; index < 3_000; index += 1) client.subscribe(`agentTypes: ["coder", "${index}"]`, `${index}`);
    await client.until(({ updates, socket }) => updates.length === 3_000 || socket.readyState === socket.CLOSED);
    await using other = await RawStreamClient.connect(server);
    other.subscribe();
    await other.until(({ updates }) => updates.length === 1);
    await client[Symbol.asyncDispose]();
    await waitUntil(() => server.active.size === 1, { state: () => server.active.size });
    expect(server.groups.size).toBe(1);
  });
});
