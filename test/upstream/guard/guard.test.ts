import { getEventListeners, once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { BulkheadFullError, CircuitOpenError } from '../../../src/upstream/guard/errors.js';
import { createGuard } from '../../../src/upstream/guard/guard.js';
import { SessionClosedError, ToolCallTimeoutError, ToolRejectedError } from '../../../src/mcp/index.js';
import { systemClock } from '../../../src/shared/index.js';
import {
  AGAIN,
  fail,
  failTimes,
  hang,
  Held,
  holdTime,
  NEVER,
  newGuard,
  ONCE,
  outcomeOf,
  succeed,
  TEST_OPTIONS,
} from './support.js';

beforeEach(holdTime);
afterEach(() => vi.useRealTimers());

describe('Guard timeout', () => {
  test('aborts and rejects an operation that exceeds the timeout, even when it ignores its signal', async () => {
    using guard = newGuard({ timeoutMs: 100 });
    let given: AbortSignal | undefined;
    const outcome = outcomeOf(guard.call((signal) => ((given = signal), hang()), ONCE));
    await vi.advanceTimersByTimeAsync(99);
    expect(given?.aborted).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(await outcome).toBeInstanceOf(ToolCallTimeoutError);
    expect(given?.aborted).toBe(true);
    expect(guard.status()).toMatchObject({
      timeouts: 1,
      failures: 1,
      inFlight: 0,
      breaker: { consecutiveFailures: 1 },
    });
  });

  test('rejects with ToolCallTimeoutError when the aborted operation throws an error of its own', async () => {
    using guard = newGuard({ timeoutMs: 100 });
    const outcome = outcomeOf(
      guard.call(
        (signal) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('own error')))),
        ONCE,
      ),
    );
    await vi.advanceTimersByTimeAsync(100);
    expect(await outcome).toBeInstanceOf(ToolCallTimeoutError);
  });

  test('leaves the signal of a completed operation unaborted', async () => {
    using guard = newGuard({ timeoutMs: 100 });
    let given: AbortSignal | undefined;
    await guard.call((signal) => ((given = signal), succeed()), ONCE);
    await vi.advanceTimersByTimeAsync(200);
    expect(given?.aborted).toBe(false);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('Guard in a stalled process', () => {
  /** Blocks the event loop, so that timers fire late and arriving data stays unread. */
  function stall(forMs: number): void {
    const untilMs = performance.now() + forMs;
    while (performance.now() < untilMs);
  }

  test('returns an answer that arrived before the timeout', async () => {
    vi.useRealTimers();
    using guard = newGuard({ timeoutMs: 50 });
    const server = createServer((socket) => socket.end('answer')).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo; // it listens on a port
    const socket = connect(port, '127.0.0.1').pause();
    await once(socket, 'connect');
    const started = new Held<void>();
    const answer = async (): Promise<string> => {
      started.resolve();
      socket.resume();
      return String((await once(socket, 'data'))[0]);
    };
    const outcome = outcomeOf(guard.call(answer, ONCE));
    await started.promise;
    stall(200);
    expect(await outcome).toBe('answer');
    expect(guard.status()).toMatchObject({ timeouts: 0, failures: 0 });
    server.close();
  });
});

describe('Guard retry', () => {
  test('retries only idempotent calls', async () => {
    using guard = newGuard({ maxAttempts: 2 });
    let tries = 0;
    const flaky = (): Promise<string> => ((tries += 1) === 1 ? fail() : succeed());
    const again = guard.call(flaky, AGAIN);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await again).toBe('answer');
    expect(guard.status()).toMatchObject({ calls: 2, retries: 1, failures: 1, breaker: { consecutiveFailures: 0 } });
    tries = 0;
    await expect(guard.call(flaky, ONCE)).rejects.toThrow('broken pipe');
    expect(tries).toBe(1);
  });

  test('makes at most `maxAttempts` attempts and throws the error of the last one', async () => {
    using single = newGuard({ maxAttempts: 1 });
    await expect(single.call(fail, AGAIN)).rejects.toThrow('broken pipe');
    expect(single.status()).toMatchObject({ calls: 1, retries: 0 });
    using triple = newGuard({ maxAttempts: 3 });
    let tries = 0;
    const outcome = outcomeOf(triple.call(() => Promise.reject(new Error(`try ${(tries += 1)}`)), AGAIN));
    await vi.advanceTimersByTimeAsync(3_000);
    expect(await outcome).toMatchObject({ message: 'try 3' });
  });

  test.each([
    ['a rejection by the server', new ToolRejectedError('no such tool', -32601)],
    ['a closed session', new SessionClosedError('gone')],
  ])('does not retry after %s', async (_name, error) => {
    using guard = newGuard({ maxAttempts: 5 });
    expect(await outcomeOf(guard.call(() => Promise.reject(error), AGAIN))).toBe(error);
    expect(guard.status()).toMatchObject({ calls: 1, retries: 0 });
  });

  test('does not retry after a timeout, because it used up the time of the call', async () => {
    using guard = newGuard({ timeoutMs: 100, maxAttempts: 5 });
    let tries = 0;
    const outcome = outcomeOf(guard.call(() => ((tries += 1), hang()), AGAIN));
    await vi.advanceTimersByTimeAsync(100);
    expect(await outcome).toBeInstanceOf(ToolCallTimeoutError);
    expect(tries).toBe(1);
  });

  test('for any duration of each attempt: attempts and pauses together stay within the timeout of the call', async () => {
    const tries = fc.array(fc.nat(200), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 10, max: 500 }), tries, async (timeoutMs, lengths) => {
        using guard = newGuard({ timeoutMs: 10_000, maxAttempts: 6, breakerThreshold: 100 });
        const left = [...lengths];
        const startMs = performance.now();
        let tookMs = Infinity;
        const slow = (): Promise<never> =>
          new Promise((_resolve, reject) => setTimeout(() => reject(new Error('reset')), left.shift() ?? 0));
        const outcome = outcomeOf(guard.call(slow, { ...AGAIN, timeoutMs })).then(() => {
          tookMs = performance.now() - startMs;
        });
        await vi.advanceTimersByTimeAsync(timeoutMs + 5);
        expect(tookMs).toBeLessThanOrEqual(timeoutMs + 5);
        await outcome;
        await vi.advanceTimersByTimeAsync(1_000);
      }),
      { numRuns: 50 },
    );
  });

  test('does not retry when the breaker is open', async () => {
    using guard = newGuard({ breakerThreshold: 1, maxAttempts: 5 });
    await failTimes(guard, 1);
    expect(await outcomeOf(guard.call(succeed, AGAIN))).toBeInstanceOf(CircuitOpenError);
    expect(guard.status()).toMatchObject({ retries: 0, rejected: 1, calls: 1 });
  });

  test('throws CircuitOpenError when the breaker opens between two attempts', async () => {
    using guard = newGuard({ breakerThreshold: 2, maxAttempts: 5 });
    const outcome = outcomeOf(guard.call(fail, AGAIN));
    await vi.advanceTimersByTimeAsync(500);
    expect(await outcome).toBeInstanceOf(CircuitOpenError);
    expect(guard.status()).toMatchObject({ calls: 2 });
  });
});

describe('Guard bulkhead', () => {
  test('rejects calls beyond `maxConcurrent` running and `maxQueued` waiting calls', async () => {
    using guard = newGuard({ maxConcurrent: 1, maxQueued: 1 });
    const held = new Held<string>();
    const first = guard.call(() => held.promise, ONCE);
    const second = guard.call(succeed, ONCE);
    expect(await outcomeOf(guard.call(succeed, ONCE))).toBeInstanceOf(BulkheadFullError);
    expect(guard.status()).toMatchObject({ inFlight: 1, queued: 1, rejected: 1, breaker: { consecutiveFailures: 0 } });
    held.resolve('first');
    expect(await Promise.all([first, second])).toEqual(['first', 'answer']);
    expect(guard.status()).toMatchObject({ inFlight: 0, queued: 0 });
  });

  test('skips a queued call whose caller aborted', async () => {
    using guard = newGuard({ maxConcurrent: 1 });
    const held = new Held<string>();
    const stopped = new AbortController();
    let hasRun = false;
    const first = guard.call(() => held.promise, ONCE);
    const given = outcomeOf(guard.call(() => ((hasRun = true), succeed()), { ...ONCE, signal: stopped.signal }));
    const last = guard.call(succeed, ONCE);
    stopped.abort(new Error('gone'));
    expect(await given).toMatchObject({ message: 'gone' });
    held.resolve('first');
    expect(await Promise.all([first, last])).toEqual(['first', 'answer']);
    expect(hasRun).toBe(false);
  });
});

describe('Guard call with an aborted signal', () => {
  test('rejects immediately with the reason of the abort, which counts neither as answer nor as failure', async () => {
    using guard = newGuard({ breakerThreshold: 2, maxAttempts: 3 });
    await failTimes(guard, 1);
    const stopped = new AbortController();
    const given: AbortSignal[] = [];
    const operation = (signal: AbortSignal): Promise<never> => (given.push(signal), hang());
    const calls = [true, false].map((idempotent) =>
      outcomeOf(guard.call(operation, { signal: stopped.signal, idempotent })),
    );
    const reason = new Error('caller aborted');
    stopped.abort(reason);
    expect(await Promise.all(calls)).toEqual([reason, reason]);
    expect(given.map((signal) => signal.aborted)).toEqual([true, true]);
    const { breaker, failures, timeouts, retries } = guard.status();
    expect({ ...breaker, failures, timeouts, retries }).toMatchObject({
      state: 'CLOSED',
      consecutiveFailures: 1,
      failures: 1,
      timeouts: 0,
      retries: 0,
    });
  });

  test('does not run the operation when the signal is already aborted', async () => {
    using guard = newGuard();
    const reason = new Error('too late');
    const signal = AbortSignal.abort(reason);
    expect(await outcomeOf(guard.call(succeed, { signal, idempotent: true }))).toBe(reason);
    expect(guard.status().calls).toBe(0);
  });

  test('frees its slot immediately when it is aborted between two attempts', async () => {
    const unhandled = vi.fn();
    process.on('unhandledRejection', unhandled);
    using guard = newGuard({ maxConcurrent: 1, maxAttempts: 3, retryBackoffMs: { initial: 60_000, max: 60_000 } });
    const stopped = new AbortController();
    const outcome = outcomeOf(guard.call(fail, { signal: stopped.signal, idempotent: true }));
    await vi.advanceTimersByTimeAsync(1);
    expect(guard.status()).toMatchObject({ inFlight: 1, retries: 1 });
    stopped.abort(new Error('gone'));
    expect(await outcome).toMatchObject({ message: 'gone' });
    expect(await guard.call(succeed, ONCE)).toBe('answer');
    await vi.advanceTimersByTimeAsync(300_000);
    expect(guard.status()).toMatchObject({ calls: 2, inFlight: 0 });
    process.off('unhandledRejection', unhandled);
    expect(unhandled).not.toHaveBeenCalled();
  });

  test('leaves a probe running, whose outcome decides the state of the breaker', async () => {
    using guard = newGuard({ breakerThreshold: 1, breakerBackoffMs: { initial: 1_000, max: 30_000 } });
    await failTimes(guard, 1);
    await vi.advanceTimersByTimeAsync(1_000);
    const probe = new Held<string>();
    const stopped = new AbortController();
    const outcome = outcomeOf(guard.call(() => probe.promise, { ...ONCE, signal: stopped.signal }));
    stopped.abort(new Error('gone'));
    expect(await outcome).toMatchObject({ message: 'gone' });
    expect(guard.status().breaker.state).toBe('HALF_OPEN');
    probe.reject(new Error('still broken'));
    await vi.advanceTimersByTimeAsync(0);
    expect(guard.status().breaker).toMatchObject({ state: 'OPEN', consecutiveFailures: 2 });
  });
});

describe('Guard latency', () => {
  test('reports nearest-rank percentiles of the answers within the window', async () => {
    using guard = newGuard({ latencyWindowMs: 1_000 });
    expect(guard.status().latency).toEqual({ p50Ms: null, p95Ms: null, p99Ms: null });
    const lasting = async (ms: number): Promise<void> => {
      const call = guard.call(() => new Promise((resolve) => setTimeout(resolve, ms)), ONCE);
      await vi.advanceTimersByTimeAsync(ms);
      await call;
    };
    for (const ms of [40, 10, 30, 20]) await lasting(ms);
    await failTimes(guard, 1);
    expect(guard.status().latency).toEqual({ p50Ms: 20, p95Ms: 40, p99Ms: 40 });
    await vi.advanceTimersByTimeAsync(960);
    expect(guard.status().latency).toEqual({ p50Ms: 20, p95Ms: 30, p99Ms: 30 });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(guard.status().latency).toEqual({ p50Ms: null, p95Ms: null, p99Ms: null });
  });

  test('keeps only the latest samples', async () => {
    using guard = newGuard({ maxLatencySamples: 2 });
    for (const ms of [500, 10, 20]) {
      const call = guard.call(() => new Promise((resolve) => setTimeout(resolve, ms)), ONCE);
      await vi.advanceTimersByTimeAsync(ms);
      await call;
    }
    expect(guard.status().latency).toEqual({ p50Ms: 10, p95Ms: 20, p99Ms: 20 });
  });
});

describe('Guard', () => {
  test('leaves no listener and no timer after 1,000 calls with different outcomes', async () => {
    using guard = newGuard({ breakerThreshold: 1_000_000, maxAttempts: 1 });
    const { signal } = new AbortController();
    const refuse = (): Promise<never> => Promise.reject(new ToolRejectedError('no', -32000));
    const operations = [succeed, fail, refuse];
    for (let call = 0; call < 1_000; call += 1) {
      await outcomeOf(guard.call(operations[call % 3] ?? succeed, { signal, idempotent: call % 2 === 0 }));
    }
    expect(guard.status()).toMatchObject({ calls: 1_000, failures: 333, inFlight: 0 });
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    expect(getEventListeners(NEVER, 'abort')).toHaveLength(0);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('createGuard', () => {
  test.each([
    ['timeoutMs', { timeoutMs: 0 }],
    ['maxAttempts', { maxAttempts: 0 }],
    ['breakerThreshold', { breakerThreshold: 1.5 }],
    ['maxConcurrent', { maxConcurrent: Number.NaN }],
    ['maxQueued', { maxQueued: -1 }],
    ['breakerBackoffMs.max', { breakerBackoffMs: { initial: 100, max: 10 } }],
  ])('throws an error that names %s when it is out of range', (name, options) => {
    expect(() => createGuard({ ...TEST_OPTIONS, ...options }, { clock: systemClock })).toThrow(
      new RegExp(`^${name} must be `),
    );
  });
});
