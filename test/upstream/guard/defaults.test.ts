import { setMaxListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { DEFAULT_SERVER_OPTIONS } from '../../../src/config/index.js';
import { settled } from '../../support/manual-clock.js';
import { broken, hang, scripted, ScriptedPool } from '../pool/scripted.js';
import { createGuard } from '../../../src/upstream/guard/guard.js';
import { GUARD_DEFAULTS } from '../../../src/upstream/guard/guard-options.js';
import { systemClock } from '../../../src/shared/index.js';
import { BulkheadFullError, ClientShareExceededError } from '../../../src/upstream/guard/errors.js';
import { fail, hang as hangForever, holdTime, ONCE, outcomeOf, succeed } from './support.js';

beforeEach(holdTime);
afterEach(() => vi.useRealTimers());

/** Creates a guard with the options of a server without configuration. */
function defaultGuard() {
  const { breaker, timeoutMs } = DEFAULT_SERVER_OPTIONS;
  return createGuard(
    {
      ...GUARD_DEFAULTS,
      timeoutMs,
      breakerThreshold: breaker.failures,
      breakerBackoffMs: { initial: breaker.initialMs, max: breaker.maxMs },
    },
    { clock: systemClock },
  );
}

describe('Guard with default options', () => {
  test('opens the circuit breaker at the fifth failure and probes after 1, 2, 4, 8, 16, 30 and 30 seconds', async () => {
    using guard = defaultGuard();
    for (let failures = 1; failures <= 5; failures += 1) {
      expect(guard.breaker.state).toBe('CLOSED');
      await outcomeOf(guard.call(fail, ONCE));
    }
    for (const seconds of [1, 2, 4, 8, 16, 30, 30]) {
      expect(guard.breaker.state).toBe('OPEN');
      expect(guard.retryInMs).toBe(seconds * 1_000);
      await vi.advanceTimersByTimeAsync(seconds * 1_000 - 1);
      expect(await outcomeOf(guard.call(succeed, ONCE))).toMatchObject({ name: 'CircuitOpenError' });
      await vi.advanceTimersByTimeAsync(1);
      await outcomeOf(guard.call(fail, ONCE));
    }
    await vi.advanceTimersByTimeAsync(30_000);
    expect(await guard.call(succeed, ONCE)).toBe('answer');
    expect(guard.breaker).toMatchObject({ state: 'CLOSED', consecutiveFailures: 0 });
  });

  test('runs 4 calls at the same time, 3 of clients and 2 of one, and lets 64 own calls and 8 calls of a client wait', async () => {
    using guard = defaultGuard();
    const { signal } = new AbortController();
    const settledCalls: unknown[] = [];
    setMaxListeners(0, signal);
    const call = (clientId: string | null): void => {
      guard
        .call(hangForever, { signal, idempotent: false, clientId, timeoutMs: 1_000_000 })
        .catch((error: unknown) => settledCalls.push(error));
    };
    for (let made = 0; made < 11; made += 1) call('a');
    await settled();
    expect(guard.status()).toMatchObject({ inFlight: 2, queued: 8 });
    expect(settledCalls).toEqual([expect.any(ClientShareExceededError)]);
    call('b');
    await settled();
    expect(guard.status()).toMatchObject({ inFlight: 3, queued: 8 });
    call('b');
    await settled();
    expect(guard.status()).toMatchObject({ inFlight: 3, queued: 9 });
    for (let made = 0; made < 66; made += 1) call(null);
    await settled();
    expect(guard.status()).toMatchObject({ inFlight: 4, queued: 9 + 64, rejected: 2 });
    expect(settledCalls[1]).toBeInstanceOf(BulkheadFullError);
  });

  test('retries an idempotent call once, after 50 ms on average and within the 3 seconds of the call', async () => {
    using guard = defaultGuard();
    const outcome = outcomeOf(guard.call(fail, { ...ONCE, idempotent: true }));
    await vi.advanceTimersByTimeAsync(1_500);
    expect(await outcome).toMatchObject({ message: 'broken pipe' });
    expect(guard.status()).toMatchObject({ calls: 2, retries: 1, failures: 2 });
    const late = outcomeOf(guard.call(hangForever, ONCE));
    await vi.advanceTimersByTimeAsync(2_999);
    expect(guard.status()).toMatchObject({ timeouts: 0 });
    await vi.advanceTimersByTimeAsync(1);
    expect(await late).toMatchObject({ name: 'ToolCallTimeoutError' });
  });

  test('forgets latencies after a minute and keeps 4,096 of them', () => {
    expect(GUARD_DEFAULTS).toMatchObject({ latencyWindowMs: 60_000, maxLatencySamples: 4_096 });
  });

  test('has unknown latencies before the first answer', () => {
    using guard = defaultGuard();
    expect(guard.status()).toEqual({
      breaker: { state: 'CLOSED', consecutiveFailures: 0, openedAt: null, retryAt: null },
      inFlight: 0,
      queued: 0,
      latency: { p50Ms: null, p95Ms: null, p99Ms: null },
      calls: 0,
      failures: 0,
      timeouts: 0,
      retries: 0,
      rejected: 0,
    });
  });
});

describe('Replica with default options', () => {
  test.each([
    ['CLAUDE_FLOW', 1],
    ['RUV_SWARM', 4],
  ] as const)('makes at most as many calls to %s at the same time as it supports: %d', async (type, count) => {
    const [server] = scripted(1);
    if (server === undefined) throw new Error('no server');
    server.name = type === 'CLAUDE_FLOW' ? 'claude-flow' : 'ruv-swarm';
    server.onCall = hang;
    await using pool = new ScriptedPool([server]);
    await settled();
    const calls = Array.from({ length: 10 }, () => outcomeOf(pool.call({ idempotent: false })));
    await settled();
    expect(server.requests.filter((name) => name === 'tool')).toHaveLength(count);
    await pool[Symbol.asyncDispose]();
    await vi.advanceTimersByTimeAsync(60_000);
    await Promise.all(calls);
  });

  test('opens the circuit breaker of a server at the fifth failed call', async () => {
    const [server] = scripted(1);
    if (server === undefined) throw new Error('no server');
    server.onCall = broken;
    await using pool = new ScriptedPool([server]);
    await settled();
    for (let call = 0; call < 4; call += 1) await outcomeOf(pool.call({ idempotent: false }));
    expect(pool.pool.replicas[0]?.breaker.state).toBe('CLOSED');
    await outcomeOf(pool.call({ idempotent: false }));
    expect(pool.pool.replicas[0]?.breaker.state).toBe('OPEN');
  });
});
