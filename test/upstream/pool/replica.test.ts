import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { CircuitOpenError } from '../../../src/upstream/guard/errors.js';
import { ConnectTimeoutError, ToolRejectedError, type ToolCallResult, TransportError } from '../../../src/mcp/index.js';
import type { ReplicaPoolDeps } from '../../../src/upstream/pool/replica-pool.js';
import { Held, holdTime, outcomeOf } from '../guard/support.js';
import { settled } from '../../support/manual-clock.js';
import { broken, connectTo, hang, killed, pong, scripted, ScriptedPool, type ScriptedServer } from './scripted.js';

beforeEach(holdTime);
afterEach(() => vi.useRealTimers());

async function pass(ms = 0): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
  await settled();
}

/** Lets time pass until the condition holds. */
async function waitFor(isSo: () => boolean): Promise<void> {
  for (let round = 0; round < 100_000 && !isSo(); round += 1) await pass(10);
  expect(isSo()).toBe(true);
}

/** Creates a pool with a single server. */
function createSinglePool(
  options: ConstructorParameters<typeof ScriptedPool>[1] = {},
  deps: ConstructorParameters<typeof ScriptedPool>[2] = {},
  isCommand = false,
): { readonly scene: ScriptedPool; readonly server: ScriptedServer } {
  const [server] = scripted(1);
  if (server === undefined) throw new Error('one');
  server.isCommand = isCommand;
  return { scene: new ScriptedPool([server], options, deps), server };
}

const ONE_FAILURE = { breaker: { failures: 1, initialMs: 1_000, maxMs: 4_000 } };

describe('Replica that cannot connect', () => {
  test('abandons a command after `maxAttempts` failed starts in a row, until a reconnect is requested', async () => {
    const restart = { initialMs: 100, maxMs: 1_000, maxAttempts: 3 };
    const { scene, server } = createSinglePool({ restart }, {}, true);
    await using _scene = scene;
    server.refuses = 'exited with 1';
    await pass(60_000);
    expect(server.attempts).toBe(3);
    expect(scene.pool.replicas[0]).toMatchObject({ connection: 'GIVEN_UP', status: 'OFFLINE' });
    expect(scene.pool.failureReason).toMatch(/^exited with 1 \(given up after 3 failed starts; .*refreshDiscovery/);
    scene.pool.reconnectNow();
    await pass(60_000);
    expect(server.attempts).toBe(6);
    server.refuses = null;
    scene.pool.reconnectNow();
    await pass();
    expect(await scene.call()).toMatchObject({ value: 'pong' });
    expect(scene.pool.replicas[0]).toMatchObject({ status: 'ONLINE', failedAttempts: 0, lastError: null });
    // The answered call resets the count.
    server.refuses = 'exited with 1';
    server.session?.end(killed());
    await pass(60_000);
    expect(server.attempts).toBe(10);
  });

  test('counts a command that exits before its first answer as a failed start', async () => {
    const { scene, server } = createSinglePool({ restart: { initialMs: 100, maxMs: 100, maxAttempts: 4 } }, {}, true);
    await using _scene = scene;
    for (let round = 0; round < 20; round += 1) {
      await pass(100);
      server.session?.end(killed());
    }
    await pass(10_000);
    expect(server.attempts).toBe(4);
    expect(scene.pool.replicas[0]?.connection).toBe('GIVEN_UP');
    // The handshake alone does not make the replica ONLINE.
    expect(scene.events.some(({ replica }) => replica.status === 'ONLINE')).toBe(false);
  });

  test('gives a command twice the time after each start that took too long, at most five times, until it connects', async () => {
    const limits: unknown[] = [];
    let isLate = true;
    const [other] = scripted(1);
    if (other === undefined) throw new Error('one');
    other.isCommand = true;
    const connect: ReplicaPoolDeps['connect'] = (endpoint, options) => {
      limits.push([options.connectTimeoutMs, options.maxConnectMs]);
      return isLate ? Promise.reject(new ConnectTimeoutError('too late')) : connectTo([other])(endpoint, options);
    };
    await using scene = new ScriptedPool(
      [other],
      { restart: { initialMs: 10, maxMs: 10, maxAttempts: 9 } },
      { connect },
    );
    await waitFor(() => limits.length >= 4);
    isLate = false;
    await waitFor(() => scene.pool.replicas[0]?.connection === 'CONNECTED');
    const whileLate = limits.length;
    other.session?.end(killed());
    await waitFor(() => limits.length > whileLate);
    expect(limits.slice(0, 4)).toEqual([
      [1_000, 5_000],
      [2_000, 5_000],
      [4_000, 5_000],
      [5_000, 5_000],
    ]);
    expect(limits.at(-1)).toEqual([1_000, 5_000]);
  });

  test('gives a network endpoint the same time for each attempt', async () => {
    const limits: unknown[] = [];
    const connect: ReplicaPoolDeps['connect'] = (_endpoint, options) => {
      limits.push([options.connectTimeoutMs, options.maxConnectMs]);
      return Promise.reject(new ConnectTimeoutError('too late'));
    };
    await using _scene = new ScriptedPool(
      scripted(1),
      { restart: { initialMs: 10, maxMs: 10, maxAttempts: 9 } },
      { connect },
    );
    await waitFor(() => limits.length >= 3);
    expect(limits.slice(0, 3)).toEqual([1, 2, 3].map(() => [1_000, undefined]));
  });

  test('does not try an unusable entry again', async () => {
    const endpoint = { type: 'unusable', transport: 'http', reason: 'mcpServers.a.type: is "pigeon"' } as const;
    let attempts = 0;
    const connect: ReplicaPoolDeps['connect'] = () => {
      attempts += 1;
      return Promise.reject(new TransportError(endpoint.reason));
    };
    await using scene = new ScriptedPool([], { endpoints: [endpoint] }, { connect });
    await pass(600_000);
    scene.pool.reconnectNow();
    await pass(600_000);
    expect(attempts).toBe(1);
    expect(scene.pool.failureReason).toBe(endpoint.reason);
    expect(scene.pool.replicas[0]).toMatchObject({ connection: 'UNUSABLE', status: 'OFFLINE' });
  });

  test('never abandons a network endpoint, or a command without `maxAttempts`', async () => {
    const { scene, server } = createSinglePool({ restart: { initialMs: 100, maxMs: 1_000, maxAttempts: 3 } });
    await using _scene = scene;
    const other = createSinglePool({ restart: { initialMs: 100, maxMs: 1_000, maxAttempts: null } }, {}, true);
    await using _other = other.scene;
    server.refuses = other.server.refuses = 'ECONNREFUSED';
    await pass(120_000);
    // The fixed random value makes each delay 0.75 s.
    for (const { attempts } of [server, other.server]) expect(attempts).toBeGreaterThan(150);
  });
});

describe('Replica that receives no calls', () => {
  test('is probed after each heartbeat, and a rejected ping counts as an answer', async () => {
    const { scene, server } = createSinglePool({ heartbeatMs: 5_000 });
    await using _scene = scene;
    server.onPing = () => Promise.reject(new ToolRejectedError('no such method', -32601));
    await pass();
    for (let call = 0; call < 5; call += 1) {
      await scene.call();
      await pass(4_000);
    }
    expect(server.requests).not.toContain('ping');
    await pass(12_500);
    expect(server.requests.filter((what) => what === 'ping')).toHaveLength(3);
    expect(scene.pool.replicas[0]).toMatchObject({ probedAt: Date.now(), answeredAt: Date.now() });
    expect(scene.pool.replicas[0]?.status).toBe('ONLINE');
  });

  test('is probed immediately when the pool has several replicas', async () => {
    const servers = scripted(2);
    await using scene = new ScriptedPool(servers);
    await pass();
    expect(servers.map(({ requests }) => requests)).toEqual([['ping'], ['ping']]);
    expect(scene.pool.replicas.map(({ status }) => status)).toEqual(['ONLINE', 'ONLINE']);
  });

  test('is probed with a tool call after a ping was not answered, and without a ping from then on', async () => {
    const { scene, server } = createSinglePool({ heartbeatMs: 5_000, timeoutMs: 1_000 });
    await using _scene = scene;
    server.onPing = hang;
    await pass(6_600);
    expect(server.requests).toEqual(['ping', 'agent_list']);
    await pass(11_000);
    expect(server.requests).toEqual(['ping', 'agent_list', 'agent_list', 'agent_list']);
    expect(scene.pool.replicas[0]?.status).toBe('ONLINE');
  });

  test('becomes OFFLINE when its probes fail, and ONLINE when they succeed again', async () => {
    const { scene, server } = createSinglePool({ ...ONE_FAILURE, heartbeatMs: 5_000 });
    await using _scene = scene;
    server.onPing = server.onCall = broken;
    await pass(5_500);
    expect(scene.pool.replicas[0]).toMatchObject({ status: 'OFFLINE', lastError: 'ECONNREFUSED' });
    server.onPing = pong;
    await pass(4_000);
    expect(scene.pool.replicas[0]).toMatchObject({ status: 'ONLINE', lastError: null });
    const moves = scene.events.flatMap(({ transition }) => (transition === null ? [] : [transition.to]));
    expect(moves).toEqual(['OPEN', 'HALF_OPEN', 'CLOSED']);
  });

  test('is not probed before the retry delay that its server requested', async () => {
    const { scene, server } = createSinglePool({ heartbeatMs: 1_000 });
    await using _scene = scene;
    await pass();
    server.onCall = () => Promise.reject(new ToolRejectedError('too many requests', -32000, 30_000));
    await outcomeOf(scene.call());
    await pass(29_000);
    expect(server.requests).toEqual(['tool']);
    await pass(2_000);
    expect(server.requests).toContain('ping');
  });
});

describe('Replica with a half-open breaker', () => {
  test('is probed with the tool that failed', async () => {
    const { scene, server } = createSinglePool(ONE_FAILURE);
    await using _scene = scene;
    await pass();
    server.onCall = broken;
    const failed = outcomeOf(scene.call());
    await pass(500);
    expect(await failed).toBeInstanceOf(CircuitOpenError);
    expect(scene.pool.failureReason).toBe('ECONNREFUSED');
    server.requests.length = 0;
    await pass(500);
    expect(server.requests).toEqual(['tool']);
    expect(scene.pool.replicas[0]?.breaker.state).toBe('OPEN');
    server.onCall = pong;
    await pass(2_000);
    expect(server.requests).toEqual(['tool', 'tool']);
    expect(scene.pool.replicas[0]?.breaker.state).toBe('CLOSED');
  });

  test('sends one probe at a time and holds all other calls', async () => {
    const { scene, server } = createSinglePool(ONE_FAILURE, { detectType: () => 'DAA' });
    await using _scene = scene;
    await pass();
    server.onCall = broken;
    const failed = outcomeOf(scene.call());
    await pass(500);
    await failed;
    const probe = new Held<ToolCallResult>();
    server.onCall = () => probe.promise;
    server.requests.length = 0;
    await pass(500);
    const calls = Array.from({ length: 3 }, () => scene.call());
    await pass();
    expect(server.requests).toEqual(['tool']);
    server.onCall = pong;
    probe.resolve({ isError: false, value: 'back' });
    await pass();
    await Promise.all(calls);
    expect(scene.events.flatMap(({ transition }) => transition?.to ?? [])).toEqual(['OPEN', 'HALF_OPEN', 'CLOSED']);
  });
});

describe('ReplicaPool disposal', () => {
  test.each<[string, (servers: readonly ScriptedServer[]) => void]>([
    ['is connected', () => undefined],
    ['waits for the next attempt', (servers) => servers.forEach((one) => (one.refuses = 'ECONNREFUSED'))],
    ['has servers that do not answer', (servers) => servers.forEach((one) => (one.onCall = one.onPing = hang))],
  ])('leaves no timer and no open session when the pool %s', async (_name, prepare) => {
    const servers = scripted(3);
    prepare(servers);
    const timers = vi.getTimerCount();
    {
      await using scene = new ScriptedPool(servers, { sticky: false });
      await pass(7_000);
      const call = outcomeOf(scene.call());
      await pass(10_000);
      await call;
    }
    await pass();
    expect(vi.getTimerCount()).toBe(timers);
    for (const { session } of servers) if (session !== null) expect(await session.closed).toBeNull();
  });
});
