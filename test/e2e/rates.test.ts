import { describe, expect, test } from 'vitest';
import { AGENT_UPDATES, type WireUpdate } from '../support/app.js';
import { BareSocket } from '../support/bare-socket.js';
import { DeliveryServer } from '../support/delivery-server.js';
import { ManualClock } from '../support/manual-clock.js';
import { waitUntil } from '../support/wait.js';

const AGENTS = 4;

/** A server whose time the test moves, and one client of it on a real socket. */
class Stage implements AsyncDisposable {
  readonly #clock: ManualClock;
  readonly #server: DeliveryServer;
  readonly #socket: BareSocket;
  #round = 0;

  private constructor(clock: ManualClock, server: DeliveryServer, socket: BareSocket) {
    this.#clock = clock;
    this.#server = server;
    this.#socket = socket;
  }

  static async start(payload: Record<string, unknown> = {}): Promise<Stage> {
    const clock = new ManualClock();
    const limits = { maxMessagesPerSecond: 1_000_000 };
    const server = await DeliveryServer.start({}, { clock, utilization: () => 0 }, limits);
    server.show(0, AGENTS, 0);
    const socket = await BareSocket.open(server, payload);
    await socket.until(({ messages }) => messages.some(({ type }) => type === 'connection_ack'));
    return new Stage(clock, server, socket);
  }

  /** Subscribes, and resolves when the snapshot is there. */
  async watch(mode: string, id = mode): Promise<void> {
    this.#socket.run(id, AGENT_UPDATES, { mode });
    await this.#socket.until(() => this.updates(id).length > 0);
  }

  updates(id: string): readonly WireUpdate['agentUpdates'][] {
    // Results of AGENT_UPDATES.
    return this.#socket.of(id).map((payload) => (payload as { data: WireUpdate }).data.agentUpdates);
  }

  kinds(id: string): readonly string[] {
    return this.updates(id).map(({ kind }) => kind);
  }

  /** Changes agents `from` to `to`. */
  change(from = 0, to = AGENTS): void {
    this.#round += 1;
    this.#server.show(from, to, this.#round);
  }

  /** Lets time pass; resolves when the client has received all that the server has sent till then. */
  async pass(ms: number): Promise<void> {
    await this.#clock.pass(ms);
    await this.#received();
  }

  /** Changes all agents every millisecond for as long. */
  async passWithChanges(ms: number): Promise<void> {
    for (let passedMs = 0; passedMs < ms; passedMs += 1) {
      this.change();
      await this.#clock.pass(1);
    }
    await this.#received();
  }

  /** The server answers a ping behind all that it has sent before. */
  async #received(): Promise<void> {
    const pongs = (): number => this.#socket.messages.filter(({ type }) => type === 'pong').length;
    const before = pongs();
    this.#socket.send({ type: 'ping' });
    await this.#socket.until(() => pongs() > before);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#socket[Symbol.asyncDispose]();
    await waitUntil(() => this.#server.active.size === 0, { state: () => this.#server.active.size });
    await this.#server[Symbol.asyncDispose]();
  }
}

/** Asserts one delta each period while agents change all the time: none a millisecond earlier, none later. */
async function assertRate(stage: Stage, id: string, hz: number): Promise<void> {
  // The first change after a pause is delivered at once.
  await stage.passWithChanges(1);
  expect(stage.kinds(id)).toEqual(['SNAPSHOT', 'DELTA']);
  for (let period = 1, passedMs = 1; period <= 5; period += 1) {
    const dueMs = Math.ceil((period * 1000) / hz);
    await stage.passWithChanges(dueMs - 1 - passedMs);
    expect(stage.kinds(id)).toEqual(['SNAPSHOT', ...new Array<string>(period).fill('DELTA')]);
    await stage.passWithChanges(1);
    expect(stage.kinds(id)).toEqual(['SNAPSHOT', ...new Array<string>(period + 1).fill('DELTA')]);
    passedMs = dueMs;
  }
  expect(stage.updates(id).map(({ rate }) => rate)).toEqual(
    new Array(stage.updates(id).length).fill({ requestedHz: hz, effectiveHz: hz }),
  );
}

describe('agentUpdates: rates', () => {
  test.each([
    ['HIGH_FREQUENCY', 60],
    ['NORMAL', 10],
    ['LOW_FREQUENCY', 1],
  ])('%s delivers a delta at %d Hz, neither faster nor slower, when agents change all the time', async (mode, hz) => {
    await using stage = await Stage.start();
    await stage.watch(mode);
    await assertRate(stage, mode, hz);
  });

  test('maxHz of connection_init lowers the rate of the streams of its socket', async () => {
    await using stage = await Stage.start({ maxHz: 5 });
    await stage.watch('HIGH_FREQUENCY');
    await assertRate(stage, 'HIGH_FREQUENCY', 5);
  });

  test('each of three modes on one socket delivers at its own rate', async () => {
    await using stage = await Stage.start();
    const modes = ['HIGH_FREQUENCY', 'NORMAL', 'LOW_FREQUENCY'];
    for (const mode of modes) await stage.watch(mode);
    for (const ms of [1, 1_000, 1_000]) await stage.passWithChanges(ms);
    // The snapshot, the first change at once, and then one delta each period of two seconds.
    expect(modes.map((mode) => stage.updates(mode).length)).toEqual([2 + 2 * 60, 2 + 2 * 10, 2 + 2 * 1]);
  });

  test.each(['HIGH_FREQUENCY', 'NORMAL', 'LOW_FREQUENCY'])(
    '%s delivers nothing after the snapshot while nothing changes',
    async (mode) => {
      await using stage = await Stage.start();
      await stage.watch(mode);
      await stage.pass(5_000);
      expect(stage.kinds(mode)).toEqual(['SNAPSHOT']);
    },
  );
});

describe('agentUpdates: deltas', () => {
  test('a delta holds only the agents that changed, and patches only the fields that changed', async () => {
    await using stage = await Stage.start();
    await stage.watch('NORMAL');
    stage.change(1, 3);
    await stage.pass(1);
    const delta = stage.updates('NORMAL').at(-1);
    expect(delta).toMatchObject({ kind: 'DELTA', removedAgentIds: [] });
    expect(delta?.agents.map(({ id }) => id)).toEqual(['x:1', 'x:2']);
    const patches = delta?.patches.map(({ id, patch: { lastSeenAt: _moves, ...patch } }) => ({ id, patch }));
    expect(patches).toEqual([
      { id: 'x:1', patch: { name: 'agent 1 in round 1', status: 'BUSY', performance: { tasksCompleted: 1 } } },
      { id: 'x:2', patch: { name: 'agent 2 in round 1', status: 'BUSY', performance: { tasksCompleted: 1 } } },
    ]);
  });

  test('changes of one period make one delta with the newest values', async () => {
    await using stage = await Stage.start();
    await stage.watch('NORMAL');
    await stage.passWithChanges(1);
    for (let round = 2; round <= 9; round += 1) stage.change(0, 1);
    await stage.pass(100);
    const [, , delta, ...later] = stage.updates('NORMAL');
    expect(delta?.agents).toMatchObject([{ id: 'x:0', name: 'agent 0 in round 9' }]);
    expect(later).toEqual([]);
  });
});
