import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { CircuitOpenError } from '../../../src/upstream/guard/errors.js';
import { SessionClosedError, ToolCallTimeoutError, ToolRejectedError, TransportError } from '../../../src/mcp/index.js';
import { PrimaryChangedError } from '../../../src/upstream/pool/errors.js';
import { settled } from '../../support/manual-clock.js';
import { Held, holdTime, outcomeOf } from '../guard/support.js';
import { broken, byAge, hang, killed, pong, scripted, ScriptedPool, type ScriptedServer } from './scripted.js';

beforeEach(holdTime);
afterEach(() => vi.useRealTimers());

/** Advances the clock and runs everything that needs no further time. */
async function pass(ms = 0): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
  await settled();
}

function toolCalls(servers: readonly ScriptedServer[]): number[] {
  return servers.map(({ requests: all }) => all.filter((name) => name === 'tool').length);
}

function clearRequests(servers: readonly ScriptedServer[]): void {
  for (const server of servers) server.requests.length = 0;
}

/** Holds each call until the test answers it. */
function holding(servers: readonly ScriptedServer[]): Held<{ isError: boolean; value: unknown }>[] {
  const held: Held<{ isError: boolean; value: unknown }>[] = [];
  for (const server of servers) {
    server.onCall = () => {
      const one = new Held<{ isError: boolean; value: unknown }>();
      held.push(one);
      return one.promise;
    };
  }
  return held;
}

describe('ReplicaPool with shared state', () => {
  test('sends each call to the replica with the fewest outstanding calls', async () => {
    const servers = scripted(3);
    await using scene = new ScriptedPool(servers, { expectedType: 'CLAUDE_FLOW' });
    await pass();
    const held = holding(servers);
    const calls = Array.from({ length: 6 }, () => scene.call());
    await pass();
    // claude-flow accepts one call at a time, so the second call of each replica is queued.
    expect(toolCalls(servers)).toEqual([1, 1, 1]);
    expect(scene.pool.replicas.map(({ outstanding }) => outstanding)).toEqual([2, 2, 2]);
    held[1]?.resolve({ isError: false, value: 1 });
    await pass();
    const next = scene.call();
    await pass();
    expect(scene.pool.replicas.map(({ outstanding }) => outstanding).sort()).toEqual([2, 2, 2]);
    while (held.length > 0) {
      for (const one of held.splice(0)) one.resolve({ isError: false, value: 1 });
      await pass();
    }
    await Promise.all([...calls, next]);
  });

  test('increases the share of a recovered replica gradually', async () => {
    const servers = scripted(2);
    const [first, second] = servers;
    await using scene = new ScriptedPool(servers, {}, { detectType: () => 'DAA' });
    await pass();
    second?.session?.end(killed());
    await pass(1_000);
    expect(scene.pool.replicas[1]?.status).toBe('ONLINE');
    const held = holding(servers);
    clearRequests(servers);
    const calls = Array.from({ length: 4 }, () => scene.call());
    await pass();
    expect(toolCalls(servers)).toEqual([4, 0]);
    for (const one of held.splice(0)) one.resolve({ isError: false, value: 1 });
    await Promise.all(calls);
    await pass(10_000);
    clearRequests(servers);
    const later = Array.from({ length: 4 }, () => scene.call());
    await pass();
    expect(toolCalls(servers)).toEqual([2, 2]);
    for (const one of held.splice(0)) one.resolve({ isError: false, value: 1 });
    await Promise.all(later);
    expect(first?.attempts).toBe(1);
  });

  test('moves a call to the next replica when a replica fails or exceeds its share of the timeout', async () => {
    const servers = scripted(3);
    await using scene = new ScriptedPool(servers);
    await pass();
    const [first, second, third] = servers;
    if (first === undefined || second === undefined || third === undefined) throw new Error('three');
    first.onCall = broken;
    second.onCall = hang;
    clearRequests(servers);
    const call = scene.call();
    await pass();
    expect(toolCalls(servers)).toEqual([1, 1, 0]);
    await pass(499);
    expect(toolCalls(servers)).toEqual([1, 1, 0]);
    await pass(1);
    expect(toolCalls(servers)).toEqual([1, 1, 1]);
    expect(await call).toMatchObject({ value: 'pong' });
    // Failed replicas now rank last.
    clearRequests(servers);
    await scene.call();
    expect(toolCalls(servers)).toEqual([0, 0, 1]);
  });

  test('for any mix of late and failing replicas: a call ends within its timeout and tries each replica at most once', async () => {
    const behavior = fc.oneof(
      fc.constant(null),
      fc.record({ afterMs: fc.nat(1_500), ends: fc.constantFrom('answer', 'failure') }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(behavior, { minLength: 2, maxLength: 5 }), async (behaviors) => {
        const servers = scripted(behaviors.length);
        await using scene = new ScriptedPool(servers);
        await pass();
        clearRequests(servers);
        servers.forEach((server, index) => {
          const chosen = behaviors[index] ?? null;
          server.onCall = (signal) => {
            if (chosen === null) return hang(signal);
            return new Promise((resolve, reject) => {
              setTimeout(() => {
                if (chosen.ends === 'answer') resolve({ isError: false, value: index });
                else reject(new TransportError('reset'));
              }, chosen.afterMs);
            });
          };
        });
        const startMs = performance.now();
        let tookMs = Infinity;
        const outcome = outcomeOf(scene.call()).then((value) => {
          tookMs = performance.now() - startMs;
          return value;
        });
        await pass(1_000 + behaviors.length);
        expect(tookMs).toBeLessThanOrEqual(1_000 + behaviors.length);
        for (const count of toolCalls(servers)) expect(count).toBeLessThanOrEqual(1);
        const isQuick = behaviors.some(
          (one) => one !== null && one.ends === 'answer' && one.afterMs < 1_000 / behaviors.length - 1,
        );
        if (isQuick) expect(await outcome).toMatchObject({ isError: false });
        await outcome;
        await pass(2_000);
      }),
      { numRuns: 60 },
    );
  });

  test('retries a single endpoint after a quick failure, within the timeout of the call', async () => {
    const servers = scripted(1);
    await using scene = new ScriptedPool(servers);
    await pass();
    const [server] = servers;
    if (server === undefined) throw new Error('one');
    let tries = 0;
    server.onCall = (signal) => ((tries += 1) === 1 ? broken(signal) : hang(signal));
    const outcome = outcomeOf(scene.call());
    await pass(1_000);
    expect(await outcome).toBeInstanceOf(ToolCallTimeoutError);
    expect(tries).toBe(2);
  });

  test('tries another replica after a rejection only when the rejection has a retry delay', async () => {
    const servers = scripted(2);
    await using scene = new ScriptedPool(servers);
    await pass();
    const [first, second] = servers;
    if (first === undefined || second === undefined) throw new Error('two');
    clearRequests(servers);
    first.onCall = second.onCall = () => Promise.reject(new ToolRejectedError('no such agent', -32602));
    expect(await outcomeOf(scene.call())).toBeInstanceOf(ToolRejectedError);
    expect(toolCalls(servers)).toEqual([1, 0]);
    clearRequests(servers);
    first.onCall = () => Promise.reject(new ToolRejectedError('too many requests', -32000, 2_000));
    second.onCall = pong;
    expect(await scene.call()).toMatchObject({ value: 'pong' });
    expect(toolCalls(servers)).toEqual([1, 1]);
    expect(await scene.call()).toMatchObject({ value: 'pong' });
    expect(toolCalls(servers)).toEqual([1, 2]);
    await pass(2_000);
    expect(scene.pool.replicas[0]?.isPaused).toBe(false);
  });

  test('moves a call that is not idempotent to another replica only when it was not sent', async () => {
    const servers = scripted(2);
    await using scene = new ScriptedPool(servers, { breaker: { failures: 1, initialMs: 60_000, maxMs: 60_000 } });
    await pass();
    const [first, second] = servers;
    if (first === undefined || second === undefined) throw new Error('two');
    first.onCall = broken;
    clearRequests(servers);
    expect(await outcomeOf(scene.call({ idempotent: false }))).toBeInstanceOf(TransportError);
    expect(toolCalls(servers)).toEqual([1, 0]);
    expect(scene.pool.replicas[0]?.breaker.state).toBe('OPEN');
    expect(await scene.call({ idempotent: false })).toMatchObject({ value: 'pong' });
    second.onCall = broken;
    expect(await outcomeOf(scene.call({ idempotent: false }))).toBeInstanceOf(TransportError);
    expect(await outcomeOf(scene.call({ idempotent: false }))).toBeInstanceOf(CircuitOpenError);
    expect(toolCalls(servers)).toEqual([1, 2]);
  });

  test('does not use a replica of another server type and reports the reason', async () => {
    const servers = scripted(2);
    if (servers[1] !== undefined) servers[1].name = 'ruv-swarm';
    await using scene = new ScriptedPool(servers);
    await pass();
    await scene.call();
    expect(scene.pool.failureReason).toBe('s#2: server type RUV_SWARM differs from CLAUDE_FLOW of replica s');
    expect(scene.pool.replicas[1]).toMatchObject({ session: null, status: 'OFFLINE' });
  });
});

describe('ReplicaPool with sticky calls', () => {
  test('sends all calls to one replica until that replica fails', async () => {
    const servers = scripted(3);
    await using scene = new ScriptedPool(servers, { sticky: true });
    await pass();
    const [first, second] = servers;
    clearRequests(servers);
    for (let call = 0; call < 4; call += 1) await scene.call();
    expect(toolCalls(servers)).toEqual([4, 0, 0]);
    first?.session?.end(killed());
    await pass();
    expect(scene.events.filter(({ failover }) => failover !== null)).toHaveLength(1);
    expect(scene.pool.primary?.replica.id).toBe('s#2');
    await pass(60_000);
    expect(scene.pool.replicas[0]?.status).toBe('ONLINE');
    clearRequests(servers);
    for (let call = 0; call < 4; call += 1) await scene.call();
    expect(toolCalls(servers)).toEqual([0, 4, 0]);
    second?.session?.end(killed());
    await pass();
    expect(scene.pool.primary?.replica.id).toBe('s');
  });

  test('rejects a call for a previous primary session without sending it to another replica', async () => {
    const servers = scripted(2);
    await using scene = new ScriptedPool(servers, { sticky: true });
    await pass();
    const [first] = servers;
    if (first === undefined) throw new Error('one');
    const { primary } = scene.pool;
    first.onCall = broken;
    clearRequests(servers);
    const call = { signal: new AbortController().signal, idempotent: true, primary };
    const operation = scene.pool.call(
      (session, signal) => session.callTool('tool', {}, { signal, timeoutMs: 1 }),
      call,
    );
    expect(await outcomeOf(operation)).toBeInstanceOf(TransportError);
    expect(scene.pool.primary?.replica.id).toBe('s#2');
    const late = scene.pool.call((session, signal) => session.callTool('tool', {}, { signal, timeoutMs: 1 }), call);
    expect(await outcomeOf(late)).toBeInstanceOf(PrimaryChangedError);
    expect(toolCalls(servers)).toEqual([1, 0]);
  });

  test('fails over when the breaker opens, but not after a single timeout', async () => {
    const servers = scripted(2);
    await using scene = new ScriptedPool(servers, {
      sticky: true,
      breaker: { failures: 2, initialMs: 1_000, maxMs: 1_000 },
    });
    await pass();
    const [first] = servers;
    if (first === undefined) throw new Error('one');
    first.onCall = hang;
    for (const id of ['s', 's#2']) {
      const outcome = outcomeOf(scene.call());
      await pass(1_000);
      expect(await outcome).toBeInstanceOf(ToolCallTimeoutError);
      expect(scene.pool.primary?.replica.id).toBe(id);
    }
  });

  test('derives stickiness from the server type when the configuration does not set it', async () => {
    const servers = scripted(2);
    await using scene = new ScriptedPool(servers, { sticky: null });
    await pass();
    expect(scene.pool.isSticky).toBe(false);
    const others = scripted(2);
    for (const one of others) one.name = 'ruv-swarm';
    await using other = new ScriptedPool(others, { sticky: null });
    await pass();
    expect(other.pool.isSticky).toBe(true);
    expect(other.pool.replicas.map((replica) => other.pool.isInUse(replica))).toEqual([true, false]);
  });
});

describe('ReplicaPool after an orderly end of a session', () => {
  test('reconnects without publishing a change, and holds calls until the new session is open', async () => {
    const servers = scripted(1);
    await using scene = new ScriptedPool(servers);
    await pass();
    await scene.call();
    const [server] = servers;
    if (server === undefined) throw new Error('one');
    const eventsBefore = scene.events.length;
    server.onCall = hang;
    const outstanding = scene.call();
    await pass();
    server.onCall = pong;
    const gate = new Held<void>();
    server.gate = gate.promise;
    server.session?.end(byAge());
    await pass();
    expect(scene.pool.replicas[0]).toMatchObject({ connection: 'RENEWING', status: 'ONLINE' });
    const inBetween = scene.call({ idempotent: false });
    await pass(500);
    gate.resolve();
    await pass();
    expect(await outstanding).toMatchObject({ value: 'pong' });
    expect(await inBetween).toMatchObject({ value: 'pong' });
    expect(server.attempts).toBe(2);
    expect(scene.pool.replicas[0]).toMatchObject({ status: 'ONLINE', lastError: null, restarts: 1 });
    expect(
      scene.events
        .slice(eventsBefore)
        .every(({ replica, failover }) => replica.status === 'ONLINE' && failover === null),
    ).toBe(true);
  });

  test('reports the replica as OFFLINE when the first attempt to reconnect fails', async () => {
    const servers = scripted(1);
    await using scene = new ScriptedPool(servers);
    await pass();
    await scene.call();
    const [server] = servers;
    if (server === undefined) throw new Error('one');
    server.refuses = 'ECONNREFUSED';
    server.session?.end(byAge());
    const outcome = outcomeOf(scene.call());
    await pass();
    expect(await outcome).toBeInstanceOf(SessionClosedError);
    expect(scene.pool.failureReason).toBe('ECONNREFUSED');
    expect(scene.pool.replicas[0]?.status).toBe('OFFLINE');
    expect(scene.pool.isAvailable).toBe(false);
  });

  test('backs off when sessions end repeatedly without having answered', async () => {
    const servers = scripted(1);
    await using scene = new ScriptedPool(servers);
    const [server] = servers;
    for (let second = 0; second < 60; second += 1) {
      await pass(1_000);
      server?.session?.end(byAge());
    }
    expect(server?.attempts).toBeLessThan(10);
    expect(scene.pool.replicas[0]?.status).not.toBe('ONLINE');
  });
});

describe('ReplicaPool with a server that ends every session at once', () => {
  test.each([
    ['in an orderly way', byAge],
    ['with a failure', killed],
  ])('connects fewer and fewer times (%s)', async (_description, reason) => {
    const servers = scripted(1);
    const [server] = servers;
    if (server === undefined) throw new Error('one');
    await using scene = new ScriptedPool(servers);
    for (let elapsedMs = 0; elapsedMs < 3_600_000; elapsedMs += 1_000) {
      await pass(1_000);
      const { session } = server;
      if (session === null) continue;
      server.session = null;
      // An answered call resets the count of failed attempts.
      await scene.call().catch(() => undefined);
      session.end(reason());
    }
    // At most one connection in five seconds, except for the first ones.
    expect(server.attempts).toBeLessThanOrEqual(740);
  });
});

describe('ReplicaPool with a server that rejects connections with Retry-After', () => {
  test('connects no earlier than the server has requested', async () => {
    let attempts = 0;
    const connect = (): Promise<never> => {
      attempts += 1;
      const cause = new ToolRejectedError('HTTP 503: unavailable', 503, 600_000);
      return Promise.reject(new TransportError('HTTP 503: unavailable', { cause }));
    };
    await using _scene = new ScriptedPool(scripted(1), {}, { connect });
    await pass(599_000);
    expect(attempts).toBe(1);
    await pass(2_000);
    expect(attempts).toBe(2);
  });
});
