import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { HealthChange } from '../../../src/model/index.js';
import { ToolRejectedError } from '../../../src/mcp/index.js';
import { holdTime } from '../guard/support.js';
import { broken, byAge, hang, killed } from '../pool/scripted.js';
import { createView } from '../../../src/state/index.js';
import { settled } from '../../support/manual-clock.js';
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

/** Expects that each event starts in the state in which the previous one of its server or replica ended. */
function expectChains(changes: readonly HealthChange[]): void {
  const last = new Map<string | null, HealthChange>();
  for (const change of changes) {
    const before = last.get(change.replicaId);
    expect([change.previousStatus, change.previousCircuitState]).toEqual([
      before?.status ?? 'CONNECTING',
      // A server with several replicas reports no circuit state of its own.
      change.replicaId === null ? change.previousCircuitState : (before?.circuitState ?? 'CLOSED'),
    ]);
    const moved = change.previousStatus !== change.status || change.previousCircuitState !== change.circuitState;
    expect(moved).toBe(true);
    last.set(change.replicaId, change);
  }
}

describe('UpstreamRegistry with a server that is offline', () => {
  test('removes the agents after `removeAfterMs` and adds them again when the server is back', async () => {
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
      'Removed 2 agents of s: offline for 60 s',
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

  test('marks the tasks as stale, removes them after `removeAfterMs`, and adds them again when the server is back', async () => {
    await using swarm = new ScriptedSwarm([agents('a')], {}, { removeAfterMs: 60_000 });
    const [server] = swarm.servers;
    if (server === undefined) throw new Error('one');
    const list = server.onCall;
    server.tools = ['list_agents', 'list_tasks'];
    const task = { task: { id: 't', description: 'index', assigned_agents: ['a'] }, status: 'running' };
    server.onCall = (signal, tool) =>
      tool === 'list_tasks'
        ? Promise.resolve({ isError: false, value: { tasks: [task], total_count: 1 } })
        : list(signal, tool);
    const tasks = (): unknown => [...swarm.store.tasks.values()].map(({ id, title, stale }) => ({ id, title, stale }));
    await pass(500);
    expect(tasks()).toEqual([{ id: 's:t', title: 'index', stale: false }]);
    server.refuses = 'ECONNREFUSED';
    server.session?.end(killed());
    await pass(59_000);
    expect(tasks()).toEqual([{ id: 's:t', title: 'index', stale: true }]);
    await pass(1_500);
    expect(tasks()).toEqual([]);
    server.refuses = null;
    await pass(30_000);
    expect(tasks()).toEqual([{ id: 's:t', title: 'index', stale: false }]);
  });

  test('keeps the agents of a server that is back in time, or when `removeAfterMs` is null', async () => {
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

  test('removes a server with `removeWhenExpired` together with its agents', async () => {
    await using swarm = new ScriptedSwarm([agents('a')], { removeWhenExpired: true }, { removeAfterMs: 60_000 });
    await pass(500);
    for (const server of swarm.servers) {
      server.refuses = 'ECONNREFUSED';
      server.session?.end(killed());
    }
    await pass(61_000);
    expect(swarm.store.servers.get('s')).toBeUndefined();
    expect(swarm.removals).toEqual([['s:a']]);
    expect(swarm.registry.health('s')).toBeNull();
    const [server] = swarm.servers;
    const attempts = server?.attempts;
    await pass(120_000);
    expect(server?.attempts).toBe(attempts);
  });
});

describe('UpstreamRegistry with a server that comes back', () => {
  test('removes exactly the agents that the server no longer lists', async () => {
    let ids = ['a', 'b', 'c'];
    await using swarm = new ScriptedSwarm([() => ids]);
    await pass(500);
    swarm.servers[0]?.session?.end(killed());
    ids = ['c', 'd'];
    await pass(3_000);
    expect(swarm.seen).toEqual({ ids: ['c', 'd'], stale: false });
    expect(swarm.removals).toEqual([['s:a', 's:b']]);
  });

  test('keeps the agents as stale until the server lists its agents again', async () => {
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

  test('publishes no event and no stale agent when the first attempt after an orderly end succeeds', async () => {
    await using swarm = new ScriptedSwarm([agents('a')]);
    await pass(500);
    const end = swarm.store.events.end;
    for (let time = 0; time < 5; time += 1) {
      swarm.servers[0]?.session?.end(byAge());
      await pass(0);
      expect(swarm.seen).toEqual({ ids: ['a'], stale: false });
      await pass(60_000);
    }
    expect(swarm.servers[0]?.attempts).toBe(6);
    expect(swarm.store.events.since(end).events).toEqual([]);
    expect(swarm.registry.health('s')?.replicas[0]?.restarts).toBe(5);
  });

  test('marks a server as offline when it cannot be reached after an orderly end', async () => {
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

describe('UpstreamRegistry', () => {
  test('reports each change of status and circuit state once and in order', async () => {
    const breaker = { failures: 2, initialMs: 1_000, maxMs: 1_000 };
    await using swarm = new ScriptedSwarm([agents('a')], { breaker });
    using _demand = swarm.demand.add(createView(), 10);
    await pass(500);
    const [server] = swarm.servers;
    if (server === undefined) throw new Error('one');
    server.onCall = hang;
    await pass(5_500);
    listing(server, agents('a'));
    await pass(5_000);
    expectChains(swarm.changes);
    const states = swarm.changes.map(({ status, circuitState, replicaId }) => [status, circuitState, replicaId]);
    expect(states.slice(0, 4)).toEqual([
      ['ONLINE', 'CLOSED', null],
      ['DEGRADED', 'CLOSED', null],
      ['DEGRADED', 'OPEN', null],
      ['OFFLINE', 'OPEN', null],
    ]);
    expect(states.at(-1)).toEqual(['ONLINE', 'CLOSED', null]);
    expect(swarm.changes[3]?.reason).toBe('no answer within 1000 ms');
    // A server that was offline becomes online without another status in between.
    expect(states.slice(-3).map(([, circuit]) => circuit)).toEqual(['HALF_OPEN', 'CLOSED', 'CLOSED']);
    expect(states.slice(4, -1).every(([status]) => status === 'OFFLINE')).toBe(true);
  });

  test('reports that a tool fails and that it has recovered', async () => {
    await using swarm = new ScriptedSwarm([agents('a')], { allowTools: ['spawn'] });
    await pass(500);
    const [server] = swarm.servers;
    if (server === undefined) throw new Error('one');
    server.onCall = () => Promise.reject(new ToolRejectedError('out of memory', -32603));
    await pass(3_000);
    expect(swarm.notices.at(-1)).toMatchObject({
      code: 'TOOL_FAILING',
      message: 'Tool "list_agents" of s fails: out of memory',
    });
    const failing = swarm.registry.health('s')?.tools[0];
    expect(failing).toMatchObject({ name: 'list_agents', lastError: 'out of memory' });
    expect(failing?.consecutiveFailures).toBe(failing?.failures);
    expect(failing?.failures).toBeGreaterThan(0);
    listing(server, agents('a'));
    await pass(10_000);
    expect(swarm.codes().slice(-2)).toEqual(['SERVER_ONLINE', 'TOOL_RECOVERED']);
    expect(swarm.registry.health('s')?.tools[0]).toMatchObject({
      consecutiveFailures: 0,
      failures: failing?.failures,
    });
    // A response that the adapter cannot use counts as a failure, too.
    server.onCall = () => Promise.resolve({ isError: false, value: { success: false, error: 'no swarm' } });
    await pass(1_000);
    expect(swarm.registry.health('s')?.tools[0]).toMatchObject({ consecutiveFailures: 1, lastError: 'no swarm' });
  });

  test('reports once that a command is abandoned, and only some of the failed restarts before', async () => {
    await using swarm = new ScriptedSwarm([agents('a')], { restart: { initialMs: 100, maxMs: 100, maxAttempts: 20 } });
    for (const server of swarm.servers) server.refuses = 'no such file';
    await using command = new ScriptedSwarm([agents('a')], {
      endpoint: { type: 'stdio', command: 'missing', args: [], cwd: '/', env: {} },
      restart: { initialMs: 100, maxMs: 100, maxAttempts: 20 },
    });
    await pass(60_000);
    const codes = command.codes().filter((code) => code !== 'SERVER_OFFLINE');
    expect(codes).toEqual(['RESTART_FAILED', 'RESTART_FAILED', 'RESTART_FAILED', 'SERVER_GIVEN_UP']);
    expect(command.store.servers.get('s')?.lastError).toMatch(/given up after 20 failed starts/);
    expect(swarm.codes()).not.toContain('SERVER_GIVEN_UP');
    expect(swarm.codes().filter((code) => code === 'RESTART_FAILED').length).toBeLessThan(12);
    await command.registry.refresh();
    await pass(60_000);
    expect(command.codes().filter((code) => code === 'SERVER_GIVEN_UP')).toHaveLength(2);
  });
});

describe('UpstreamRegistry with several replicas', () => {
  test('reports DEGRADED with the failed replica, and no stale agent, when one replica is down', async () => {
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
    expect(swarm.registry.health('s')?.replicas).toMatchObject([
      { id: 's', status: 'OFFLINE', inUse: false, lastError: 'ECONNREFUSED' },
      { id: 's#2', status: 'ONLINE', inUse: true, lastError: null, lastAnsweredAt: expect.any(String) },
    ]);
    expect(swarm.notices.filter(({ code }) => code === 'SERVER_FAILOVER').map(({ message }) => message)).toEqual([
      's#2 replaces s: exited with 137',
    ]);
    first.refuses = null;
    await pass(30_000);
    expect(swarm.store.servers.get('s')).toMatchObject({ status: 'ONLINE', lastError: null });
    expectChains(swarm.changes);
    const ofFirst = swarm.changes.filter(({ replicaId }) => replicaId === 's').map(({ status }) => status);
    expect(ofFirst).toEqual(['ONLINE', 'OFFLINE', 'ONLINE']);
  });

  test('fails over between replicas with state of their own without a stale agent', async () => {
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

  test('for any faults of two replicas: a client sees no wrong agents, none stale while one replica is healthy, and the true ones at the end', async () => {
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
        const validSets = own.map((ids) => ids.join());
        const faulty = new Set<number>();
        let isNonsense = false;
        const violations: string[] = [];
        using _watch = swarm.store.onCommit(() => {
          const ids = swarm.seen.ids.join();
          if (!validSets.includes(ids)) violations.push(ids);
          const isOneHealthy = faulty.size === 0 || (!sticky && faulty.size === 1);
          if (isOneHealthy && !isNonsense && swarm.seen.stale) violations.push('stale');
        });
        for (const { replica, kind, forMs } of faults) {
          const server = swarm.servers[replica];
          if (server === undefined) continue;
          const repair = (): void => {
            server.refuses = null;
            listing(server, () => own[replica] ?? []);
          };
          if (kind !== 'heal' && kind !== 'age') faulty.add(replica);
          isNonsense ||= kind === 'nonsense';
          if (kind === 'heal') repair();
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
        expect(violations).toEqual([]);
        const inUse = swarm.registry.health('s')?.replicas.findIndex((replica) => replica.inUse) ?? 0;
        expect(swarm.seen).toEqual({ ids: [...(own[inUse] ?? [])].sort(), stale: false });
        expect(swarm.store.servers.get('s')).toMatchObject({ status: 'ONLINE', lastError: null, staleSince: null });
        expectChains(swarm.changes);
      }),
      { numRuns: 15 },
    );
  });

  test('leaves no timer when it is disposed', async () => {
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
