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

describe('time limit', () => {
  test('an operation that takes too long is aborted and rejected, even when it does not heed its signal', async () => {
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

  test('an operation that throws what its aborted signal holds has still timed out', async () => {
    using guard = newGuard({ timeoutMs: 100 });
    const outcome = outcomeOf(
      guard.call(
        (signal) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('own words')))),
        ONCE,
      ),
    );
    await vi.advanceTimersByTimeAsync(100);
    expect(await outcome).toBeInstanceOf(ToolCallTimeoutError);
  });

  test('an operation that was answered keeps its signal as it was', async () => {
    using guard = newGuard({ timeoutMs: 100 });
    let given: AbortSignal | undefined;
    await guard.call((signal) => ((given = signal), succeed()), ONCE);
    await vi.advanceTimersByTimeAsync(200);
    expect(given?.aborted).toBe(false);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('a stalled process', () => {
  /** Blocks the event loop: timers are late, and what arrives meanwhile is unread. */
  function stall(forMs: number): void {
    const untilMs = performance.now() + forMs;
    while (performance.now() < untilMs);
  }

  test('reads an answer that arrived in time before it calls it late', async () => {
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

describe('retry', () => {
  test('an idempotent call is tried again after a pause; any other is not', async () => {
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

  test('with one attempt nothing is tried again, and the last error of several is the one that is thrown', async () => {
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
    ['a refusal by the server', new ToolRejectedError('no such tool', -32601)],
    ['a session that has ended', new SessionClosedError('gone')],
  ])('%s is not repeated', async (_what, error) => {
    using guard = newGuard({ maxAttempts: 5 });
    expect(await outcomeOf(guard.call(() => Promise.reject(error), AGAIN))).toBe(error);
    expect(guard.status()).toMatchObject({ calls: 1, retries: 0 });
  });

  test('a try that timed out is not repeated: it had all the time of the call', async () => {
    using guard = newGuard({ timeoutMs: 100, maxAttempts: 5 });
    let tries = 0;
    const outcome = outcomeOf(guard.call(() => ((tries += 1), hang()), AGAIN));
    await vi.advanceTimersByTimeAsync(100);
    expect(await outcome).toBeInstanceOf(ToolCallTimeoutError);
    expect(tries).toBe(1);
  });

  test('tries and pauses together never take longer than the call may, however long each of them is', async () => {
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

  test('an open breaker is not asked again', async () => {
    using guard = newGuard({ breakerThreshold: 1, maxAttempts: 5 });
    await failTimes(guard, 1);
    expect(await outcomeOf(guard.call(succeed, AGAIN))).toBeInstanceOf(CircuitOpenError);
    expect(guard.status()).toMatchObject({ retries: 0, rejected: 1, calls: 1 });
  });

  test('a breaker that opens between two tries ends the call with CircuitOpenError', async () => {
    using guard = newGuard({ breakerThreshold: 2, maxAttempts: 5 });
    const outcome = outcomeOf(guard.call(fail, AGAIN));
    await vi.advanceTimersByTimeAsync(500);
    expect(await outcome).toBeInstanceOf(CircuitOpenError);
    expect(guard.status()).toMatchObject({ calls: 2 });
  });
});

describe('bulkhead', () => {
  test('only so many calls run at once, so many wait, the rest is turned away', async () => {
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

  test('a call that was given up while it waited does not hold up the one behind it', async () => {
    using guard = newGuard({ maxConcurrent: 1 });
    const held = new Held<string>();
    const stopped = new AbortController();
    let asked = false;
    const first = guard.call(() => held.promise, ONCE);
    const given = outcomeOf(guard.call(() => ((asked = true), succeed()), { ...ONCE, signal: stopped.signal }));
    const last = guard.call(succeed, ONCE);
    stopped.abort(new Error('gone'));
    expect(await given).toMatchObject({ message: 'gone' });
    held.resolve('first');
    expect(await Promise.all([first, last])).toEqual(['first', 'answer']);
    expect(asked).toBe(false);
  });
});

describe('a caller that gives up', () => {
  test('is let go at once with its own reason, and that counts neither way', async () => {
    using guard = newGuard({ breakerThreshold: 2, maxAttempts: 3 });
    await failTimes(guard, 1);
    const stopped = new AbortController();
    const given: AbortSignal[] = [];
    const operation = (signal: AbortSignal): Promise<never> => (given.push(signal), hang());
    const calls = [true, false].map((idempotent) =>
      outcomeOf(guard.call(operation, { signal: stopped.signal, idempotent })),
    );
    const reason = new Error('nobody waits any more');
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

  test('before the call is never asked for', async () => {
    using guard = newGuard();
    const reason = new Error('too late');
    const signal = AbortSignal.abort(reason);
    expect(await outcomeOf(guard.call(succeed, { signal, idempotent: true }))).toBe(reason);
    expect(guard.status().calls).toBe(0);
  });

  test('during the pause before the next try is let go at once, and its slot with it', async () => {
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

  test('leaves a probe running: its outcome decides, not the giving up', async () => {
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

describe('latency', () => {
  test('is taken over the answers within the window, by nearest rank', async () => {
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

describe('leaks', () => {
  test('1,000 calls of every outcome leave no listener on the signal and no timer', async () => {
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

describe('options', () => {
  test.each([
    ['timeoutMs', { timeoutMs: 0 }],
    ['maxAttempts', { maxAttempts: 0 }],
    ['breakerThreshold', { breakerThreshold: 1.5 }],
    ['maxConcurrent', { maxConcurrent: Number.NaN }],
    ['maxQueued', { maxQueued: -1 }],
    ['breakerBackoffMs.max', { breakerBackoffMs: { initial: 100, max: 10 } }],
  ])('%s out of its range is refused by name', (name, options) => {
    expect(() => createGuard({ ...TEST_OPTIONS, ...options }, { clock: systemClock })).toThrow(
      new RegExp(`^${name} must be `),
    );
  });
});
