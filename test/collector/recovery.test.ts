import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { HealthChange } from '../../src/domain/index.js';
import { ToolRejectedError } from '../../src/mcp/index.js';
import { holdTime } from '../guard/support.js';
import { broken, byAge, hang, killed } from '../replicas/scripted.js';
import { createView } from '../../src/state/index.js';
import { settled } from '../support/manual-clock.js';
import { listing, ScriptedSwarm } from './scripted-swarm.js';

beforeEach(holdTime);
afterEach(() => vi.useRealTimers());

async function pass(ms = 0): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
  await settled();
}

const agents =
  (...ids: string[]) =>
  () =>
    ids;

/** Each event begins where the one before of the same server or replica ended, and ends somewhere else. */
function expectChains(changes: readonly HealthChange[]): void {
  const last = new Map<string | null, HealthChange>();
  for (const change of changes) {
    const before = last.get(change.replicaId);
    expect([change.previousStatus, change.previousCircuitState]).toEqual([
      before?.status ?? 'CONNECTING',
      // Of a server with several replicas only its status is told.
      change.replicaId === null ? change.previousCircuitState : (before?.circuitState ?? 'CLOSED'),
    ]);
    const moved = change.previousStatus !== change.status || change.previousCircuitState !== change.circuitState;
    expect(moved).toBe(true);
    last.set(change.replicaId, change);
  }
}

describe('agents of a server that is gone', () => {
  test('stay for as long as is configured, then are removed as removed; the server stays, and brings them back', async () => {
    await using swarm = new ScriptedSwarm([agents('a', 'b')], {}, { removeAfterMs: 60_000 });
    await pass(500);
    const [server] = swarm.servers;
    if (server === undefined) throw new Error('one');
    server.refuses = 'ECONNREFUSED';
    server.session?.end(killed());
    await pass(59_000);
    expect(swarm.seen).toEqual({ ids: ['a', 'b'], stale: true });
    expect(swarm.store.servers.get('s')?.staleSince).toBe(new Date(Date.now() - 59_000).toISOString());
    await pass(1_500);
    expect(swarm.seen.ids).toEqual([]);
    expect(swarm.removals).toEqual([['s:a', 's:b']]);
    expect(swarm.store.servers.get('s')).toMatchObject({ status: 'OFFLINE', stale: true });
    expect(swarm.notices.find(({ code }) => code === 'AGENTS_REMOVED')?.message).toBe(
      '2 agents of s are removed: it has been gone for 60 s',
    );
    await pass(300_000);
    expect(swarm.codes().filter((code) => code === 'AGENTS_REMOVED')).toHaveLength(1);
    server.refuses = null;
    await pass(30_000);
    expect(swarm.seen).toEqual({ ids: ['a', 'b'], stale: false });
    expect(swarm.store.servers.get('s')).toMatchObject({
      status: 'ONLINE',
      stale: false,
      staleSince: null,
      lastError: null,
    });
  });

  test('of one that is back in time are not; and without a time they stay for ever', async () => {
    await using swarm = new ScriptedSwarm([agents('a')], {}, { removeAfterMs: 60_000 });
    await using other = new ScriptedSwarm([agents('a')], {}, { removeAfterMs: null });
    await pass(500);
    for (const one of [swarm, other]) {
      for (const server of one.servers) {
        server.refuses = 'ECONNREFUSED';
        server.session?.end(killed());
      }
    }
    await pass(40_000);
    for (const server of swarm.servers) server.refuses = null;
    await pass(600_000);
    expect(swarm.seen).toEqual({ ids: ['a'], stale: false });
    expect(other.seen).toEqual({ ids: ['a'], stale: true });
    expect([...swarm.removals, ...other.removals]).toEqual([]);
  });

  test('take a server that is in no configuration with them, wherever it was left', async () => {
    await using swarm = new ScriptedSwarm([agents('a')], { leavesWhenGone: true }, { removeAfterMs: 60_000 });
    await pass(500);
    for (const server of swarm.servers) {
      server.refuses = 'ECONNREFUSED';
      server.session?.end(killed());
    }
    await pass(61_000);
    expect(swarm.store.servers.get('s')).toBeUndefined();
    expect(swarm.removals).toEqual([['s:a']]);
    expect(swarm.collector.health('s')).toBeNull();
    const [server] = swarm.servers;
    const attempts = server?.attempts;
    await pass(120_000);
    expect(server?.attempts).toBe(attempts);
  });
});

describe('a server that comes back', () => {
  test('with other agents yields the right removals, and no agent twice', async () => {
    let ids = ['a', 'b', 'c'];
    await using swarm = new ScriptedSwarm([() => ids]);
    await pass(500);
    swarm.servers[0]?.session?.end(killed());
    ids = ['c', 'd'];
    await pass(3_000);
    expect(swarm.seen).toEqual({ ids: ['c', 'd'], stale: false });
    expect(swarm.removals).toEqual([['s:a', 's:b']]);
  });

  test('and does not list its agents at first keeps those that it had, marked stale, until it does', async () => {
    await using swarm = new ScriptedSwarm([agents('a', 'b')]);
    await pass(500);
    const [server] = swarm.servers;
    if (server === undefined) throw new Error('one');
    server.onCall = () => Promise.resolve({ isError: false, value: { agents: 7 } });
    server.session?.end(killed());
    await pass(3_000);
    expect(swarm.seen).toEqual({ ids: ['a', 'b'], stale: true });
    expect(swarm.store.servers.get('s')).toMatchObject({ status: 'DEGRADED', stale: true });
    listing(server, agents('a'));
    await pass(5_000);
    expect(swarm.seen).toEqual({ ids: ['a'], stale: false });
    expect(swarm.removals).toEqual([['s:b']]);
  });

  test('after an orderly end at the first attempt was never away: no event, no stale agent, no notice', async () => {
    await using swarm = new ScriptedSwarm([agents('a')]);
    await pass(500);
    const told = swarm.store.events.end;
    for (let time = 0; time < 5; time += 1) {
      swarm.servers[0]?.session?.end(byAge());
      await pass(0);
      expect(swarm.seen).toEqual({ ids: ['a'], stale: false });
      await pass(60_000);
    }
    expect(swarm.servers[0]?.attempts).toBe(6);
    expect(swarm.store.events.since(told).events).toEqual([]);
    expect(swarm.collector.health('s')?.replicas[0]?.restarts).toBe(5);
  });

  test('that cannot be reached after an orderly end is told as any other that is lost', async () => {
    await using swarm = new ScriptedSwarm([agents('a')]);
    await pass(500);
    for (const server of swarm.servers) {
      server.refuses = 'ECONNREFUSED';
      server.session?.end(byAge());
    }
    await pass(0);
    expect(swarm.seen.stale).toBe(true);
    expect(swarm.store.servers.get('s')).toMatchObject({ status: 'OFFLINE', lastError: 'ECONNREFUSED' });
  });
});

describe('what is told of a server', () => {
  test('each transition of its breaker and each status, in order, once', async () => {
    const breaker = { failures: 2, initialMs: 1_000, maxMs: 1_000 };
    await using swarm = new ScriptedSwarm([agents('a')], { breaker });
    using _wish = swarm.demand.add(createView(), 10);
    await pass(500);
    const [server] = swarm.servers;
    if (server === undefined) throw new Error('one');
    server.onCall = hang;
    await pass(5_500);
    listing(server, agents('a'));
    await pass(5_000);
    expectChains(swarm.changes);
    const told = swarm.changes.map(({ status, circuitState, replicaId }) => [status, circuitState, replicaId]);
    expect(told.slice(0, 4)).toEqual([
      ['ONLINE', 'CLOSED', null],
      ['DEGRADED', 'CLOSED', null],
      ['DEGRADED', 'OPEN', null],
      ['OFFLINE', 'OPEN', null],
    ]);
    expect(told.at(-1)).toEqual(['ONLINE', 'CLOSED', null]);
    expect(swarm.changes[3]?.reason).toBe('no answer within 1000 ms');
    // Back from being offline there is nothing in between.
    expect(told.slice(-3).map(([, circuit]) => circuit)).toEqual(['HALF_OPEN', 'CLOSED', 'CLOSED']);
    expect(told.slice(4, -1).every(([status]) => status === 'OFFLINE')).toBe(true);
  });

  test('a tool that fails, and that it works again; and its figures', async () => {
    await using swarm = new ScriptedSwarm([agents('a')], { allowTools: ['spawn'] });
    await pass(500);
    const [server] = swarm.servers;
    if (server === undefined) throw new Error('one');
    server.onCall = () => Promise.reject(new ToolRejectedError('out of memory', -32603));
    await pass(3_000);
    expect(swarm.notices.at(-1)).toMatchObject({
      code: 'TOOL_FAILING',
      message: 'tool "list_agents" of s fails: out of memory',
    });
    const failing = swarm.collector.health('s')?.tools[0];
    expect(failing).toMatchObject({ name: 'list_agents', lastError: 'out of memory' });
    expect(failing?.consecutiveFailures).toBe(failing?.failures);
    expect(failing?.failures).toBeGreaterThan(0);
    listing(server, agents('a'));
    await pass(10_000);
    expect(swarm.codes().slice(-2)).toEqual(['SERVER_ONLINE', 'TOOL_RECOVERED']);
    expect(swarm.collector.health('s')?.tools[0]).toMatchObject({
      consecutiveFailures: 0,
      failures: failing?.failures,
    });
    // An answer that looks like any other and is no use is a failure as well.
    server.onCall = () => Promise.resolve({ isError: false, value: { success: false, error: 'no swarm' } });
    await pass(1_000);
    expect(swarm.collector.health('s')?.tools[0]).toMatchObject({ consecutiveFailures: 1, lastError: 'no swarm' });
  });

  test('a command that is given up, once, and before that only now and then that it was tried again', async () => {
    await using swarm = new ScriptedSwarm([agents('a')], { restart: { initialMs: 100, maxMs: 100, maxAttempts: 20 } });
    for (const server of swarm.servers) server.refuses = 'no such file';
    await using command = new ScriptedSwarm([agents('a')], {
      endpoint: { type: 'stdio', command: 'missing', args: [], cwd: '/', env: {} },
      restart: { initialMs: 100, maxMs: 100, maxAttempts: 20 },
    });
    await pass(60_000);
    const told = command.codes().filter((code) => code !== 'SERVER_OFFLINE');
    expect(told).toEqual(['RESTART_FAILED', 'RESTART_FAILED', 'RESTART_FAILED', 'SERVER_GIVEN_UP']);
    expect(command.store.servers.get('s')?.lastError).toMatch(/given up after 20 starts/);
    expect(swarm.codes()).not.toContain('SERVER_GIVEN_UP');
    expect(swarm.codes().filter((code) => code === 'RESTART_FAILED').length).toBeLessThan(12);
    await command.collector.refresh();
    await pass(60_000);
    expect(command.codes().filter((code) => code === 'SERVER_GIVEN_UP')).toHaveLength(2);
  });
});

describe('replicas of one server', () => {
  test('with one of them down it is degraded, says which, and nobody sees a stale agent', async () => {
    await using swarm = new ScriptedSwarm([agents('a'), agents('a')], { sticky: false });
    await pass(500);
    const [first] = swarm.servers;
    if (first === undefined) throw new Error('one');
    first.refuses = 'ECONNREFUSED';
    first.session?.end(killed());
    await pass(2_000);
    expect(swarm.seen).toEqual({ ids: ['a'], stale: false });
    expect(swarm.store.servers.get('s')).toMatchObject({
      status: 'DEGRADED',
      stale: false,
      lastError: 's: ECONNREFUSED',
    });
    expect(swarm.collector.health('s')?.replicas).toMatchObject([
      { id: 's', status: 'OFFLINE', inUse: false, lastError: 'ECONNREFUSED' },
      { id: 's#2', status: 'ONLINE', inUse: true, lastError: null, lastAnsweredAt: expect.any(String) },
    ]);
    expect(swarm.notices.filter(({ code }) => code === 'SERVER_FAILOVER').map(({ message }) => message)).toEqual([
      's#2 goes on in the place of s: exited with 137',
    ]);
    first.refuses = null;
    await pass(30_000);
    expect(swarm.store.servers.get('s')).toMatchObject({ status: 'ONLINE', lastError: null });
    expectChains(swarm.changes);
    const ofFirst = swarm.changes.filter(({ replicaId }) => replicaId === 's').map(({ status }) => status);
    expect(ofFirst).toEqual(['ONLINE', 'OFFLINE', 'ONLINE']);
  });

  test('each with a state of its own: the next one stands in at once, with the right removals, and nothing stale between', async () => {
    await using swarm = new ScriptedSwarm([agents('a', 'b'), agents('b', 'c')]);
    await pass(500);
    expect(swarm.seen.ids).toEqual(['a', 'b']);
    const stale: boolean[] = [];
    using _watch = swarm.store.onCommit(() => stale.push(swarm.seen.stale));
    for (const server of swarm.servers.slice(0, 1)) {
      server.onCall = broken;
      server.refuses = 'ECONNREFUSED';
    }
    await pass(1_500);
    expect(swarm.seen).toEqual({ ids: ['b', 'c'], stale: false });
    expect(swarm.removals).toEqual([['s:a']]);
    expect(stale).not.toContain(true);
    for (const server of swarm.servers) server.refuses = null;
    await pass(60_000);
    expect(swarm.seen.ids).toEqual(['b', 'c']);
  });

  test('over any faults of two of them a client sees no duplicate, no gap while one is well, and in the end what is true', async () => {
    const fault = fc.record({
      replica: fc.nat(1),
      kind: fc.constantFrom('kill', 'refuse', 'break', 'hang', 'nonsense', 'age', 'heal'),
      forMs: fc.integer({ min: 10, max: 8_000 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.boolean(), fc.array(fault, { maxLength: 12 }), async (sticky, faults) => {
        const own = [['a', 'b', 'x'], sticky ? ['b', 'c'] : ['a', 'b', 'x']];
        await using swarm = new ScriptedSwarm(
          own.map((ids) => () => ids),
          { sticky, breaker: { failures: 3, initialMs: 500, maxMs: 2_000 } },
        );
        await pass(200);
        const wellSets = own.map((ids) => ids.join());
        const hurt = new Set<number>();
        let isNonsense = false;
        const seenWrong: string[] = [];
        using _watch = swarm.store.onCommit(() => {
          const ids = swarm.seen.ids.join();
          if (!wellSets.includes(ids)) seenWrong.push(ids);
          const oneIsWell = hurt.size === 0 || (!sticky && hurt.size === 1);
          if (oneIsWell && !isNonsense && swarm.seen.stale) seenWrong.push('stale');
        });
        for (const { replica, kind, forMs } of faults) {
          const server = swarm.servers[replica];
          if (server === undefined) continue;
          const mend = (): void => {
            server.refuses = null;
            listing(server, () => own[replica] ?? []);
          };
          if (kind !== 'heal' && kind !== 'age') hurt.add(replica);
          isNonsense ||= kind === 'nonsense';
          if (kind === 'heal') mend();
          else if (kind === 'age') server.session?.end(byAge());
          else if (kind === 'break') server.onCall = broken;
          else if (kind === 'hang') server.onCall = hang;
          else if (kind === 'nonsense') server.onCall = () => Promise.resolve({ isError: false, value: { agents: 7 } });
          else {
            if (kind === 'refuse') server.refuses = 'ECONNREFUSED';
            server.session?.end(killed());
          }
          await pass(forMs);
        }
        swarm.servers.forEach((server, index) => {
          server.refuses = null;
          listing(server, () => own[index] ?? []);
        });
        await pass(120_000);
        expect(seenWrong).toEqual([]);
        const inUse = swarm.collector.health('s')?.replicas.findIndex((replica) => replica.inUse) ?? 0;
        expect(swarm.seen).toEqual({ ids: [...(own[inUse] ?? [])].sort(), stale: false });
        expect(swarm.store.servers.get('s')).toMatchObject({ status: 'ONLINE', lastError: null, staleSince: null });
        expectChains(swarm.changes);
      }),
      { numRuns: 15 },
    );
  });

  test('leave nothing behind', async () => {
    const timers = vi.getTimerCount();
    {
      await using swarm = new ScriptedSwarm([agents('a'), agents('b')], {}, { removeAfterMs: 60_000 });
      await pass(500);
      for (const server of swarm.servers) {
        server.refuses = 'ECONNREFUSED';
        server.session?.end(killed());
      }
      await pass(500);
    }
    expect(vi.getTimerCount()).toBe(timers);
  });
});
