import { getEventListeners } from 'node:events';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  BulkheadFullError,
  CircuitOpenError,
  createGuard,
  type Guard,
  GUARD_DEFAULTS,
  type GuardOptions,
} from '../../src/guard/index.js';
import { ToolCallTimeoutError, ToolRejectedError } from '../../src/mcp/errors.js';
import { systemClock } from '../../src/shared/index.js';

const NEVER = new AbortController().signal;
const AGAIN = { signal: NEVER, idempotent: true };
const ONCE = { signal: NEVER, idempotent: false };

// cockatiel reads the global clock, so the global clock is what tests move.
beforeEach(() => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] }));
afterEach(() => vi.useRealTimers());

function newGuard(options: Partial<GuardOptions> = {}): Guard {
  return createGuard({ ...GUARD_DEFAULTS, ...options }, { clock: systemClock });
}

const fail = (): Promise<never> => Promise.reject(new Error('broken pipe'));
const succeed = (): Promise<string> => Promise.resolve('answer');

async function failTimes(guard: Guard, times: number): Promise<void> {
  for (let time = 0; time < times; time += 1) await expect(guard.call(fail, ONCE)).rejects.toThrow();
}

describe('guard', () => {
  test('an answer passes through and its latency is counted', async () => {
    using guard = newGuard();
    const answer = guard.call(async () => {
      await vi.advanceTimersByTimeAsync(20);
      return 'answer';
    }, AGAIN);
    expect(await answer).toBe('answer');
    expect(guard.status()).toMatchObject({ calls: 1, failures: 0, latency: { p50Ms: 20, p99Ms: 20 }, inFlight: 0 });
  });

  test('an operation that takes too long is aborted and rejected, even if it does not heed its signal', async () => {
    using guard = newGuard({ timeoutMs: 100 });
    let signal: AbortSignal | undefined;
    const call = guard.call((given) => {
      signal = given;
      return new Promise(() => undefined);
    }, ONCE);
    const outcome = expect(call).rejects.toBeInstanceOf(ToolCallTimeoutError);
    await vi.advanceTimersByTimeAsync(100);
    await outcome;
    expect(signal?.aborted).toBe(true);
    expect(guard.status()).toMatchObject({ timeouts: 1, failures: 1, breaker: { consecutiveFailures: 1 } });
  });

  test('an idempotent call is tried again after a pause; any other is not', async () => {
    using guard = newGuard({ maxAttempts: 2 });
    let tries = 0;
    const flaky = (): Promise<string> => ((tries += 1) === 1 ? fail() : succeed());
    const again = guard.call(flaky, AGAIN);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(await again).toBe('answer');
    expect(guard.status()).toMatchObject({ calls: 2, retries: 1, breaker: { consecutiveFailures: 0 } });
    tries = 0;
    await expect(guard.call(flaky, ONCE)).rejects.toThrow('broken pipe');
    expect(tries).toBe(1);
  });

  test('a refusal by the server is neither repeated nor a failure', async () => {
    using guard = newGuard({ breakerThreshold: 1 });
    let tries = 0;
    const refuse = (): Promise<never> => {
      tries += 1;
      return Promise.reject(new ToolRejectedError('no such tool', -32601));
    };
    await expect(guard.call(refuse, AGAIN)).rejects.toBeInstanceOf(ToolRejectedError);
    expect(tries).toBe(1);
    expect(guard.status()).toMatchObject({ failures: 0, breaker: { state: 'CLOSED', consecutiveFailures: 0 } });
  });

  test('too many failures in a row open the breaker: nothing is asked until the probe, which decides', async () => {
    using guard = newGuard({ breakerThreshold: 3, breakerBackoffMs: { initial: 1_000, max: 30_000 } });
    const transitions: [string, string][] = [];
    guard.onTransition(({ from, to }) => transitions.push([from, to]));
    const start = Date.now();
    await failTimes(guard, 3);
    expect(guard.status().breaker).toEqual({
      state: 'OPEN',
      consecutiveFailures: 3,
      openedAt: new Date(start).toISOString(),
      retryAt: new Date(start + 1_000).toISOString(),
    });
    let asked = false;
    const ask = (): Promise<string> => ((asked = true), succeed());
    await expect(guard.call(ask, AGAIN)).rejects.toMatchObject({
      constructor: CircuitOpenError,
      retryAt: start + 1_000,
    });
    expect(asked).toBe(false);
    await vi.advanceTimersByTimeAsync(1_000);
    await failTimes(guard, 1);
    expect(guard.status().breaker).toMatchObject({ state: 'OPEN', retryAt: new Date(start + 3_000).toISOString() });
    await vi.advanceTimersByTimeAsync(2_000);
    expect(await guard.call(succeed, ONCE)).toBe('answer');
    expect(guard.status().breaker).toEqual({ state: 'CLOSED', consecutiveFailures: 0, openedAt: null, retryAt: null });
    expect(transitions).toEqual([
      ['CLOSED', 'OPEN'],
      ['OPEN', 'HALF_OPEN'],
      ['HALF_OPEN', 'OPEN'],
      ['OPEN', 'HALF_OPEN'],
      ['HALF_OPEN', 'CLOSED'],
    ]);
  });

  test('an open breaker is not asked again by the retry', async () => {
    using guard = newGuard({ breakerThreshold: 1, maxAttempts: 5 });
    await failTimes(guard, 1);
    await expect(guard.call(succeed, AGAIN)).rejects.toBeInstanceOf(CircuitOpenError);
    expect(guard.status()).toMatchObject({ retries: 0, rejected: 1, calls: 1 });
  });

  test('only so many calls run at once, so many wait, the rest is turned away', async () => {
    using guard = newGuard({ maxConcurrent: 1, maxQueued: 1 });
    let release: (value: string) => void = () => undefined;
    const held = guard.call(() => new Promise<string>((resolve) => (release = resolve)), ONCE);
    const waiting = guard.call(succeed, ONCE);
    await expect(guard.call(succeed, ONCE)).rejects.toBeInstanceOf(BulkheadFullError);
    expect(guard.status()).toMatchObject({ inFlight: 1, queued: 1, breaker: { consecutiveFailures: 0 } });
    release('first');
    expect(await Promise.all([held, waiting])).toEqual(['first', 'answer']);
  });

  test('a caller that gives up is let go at once, and it counts as no failure', async () => {
    using guard = newGuard({ breakerThreshold: 1, maxAttempts: 3 });
    const stopped = new AbortController();
    const calls = [
      guard.call(() => new Promise(() => undefined), { signal: stopped.signal, idempotent: true }),
      guard.call(() => new Promise(() => undefined), { signal: stopped.signal, idempotent: false }),
    ];
    const reason = new Error('nobody waits any more');
    stopped.abort(reason);
    for (const call of calls) await expect(call).rejects.toBe(reason);
    expect(guard.status().breaker).toMatchObject({ state: 'CLOSED', consecutiveFailures: 0 });
    await expect(guard.call(succeed, { signal: stopped.signal, idempotent: true })).rejects.toBe(reason);
  });

  test('a caller that gives up during the pause before the next try is let go at once', async () => {
    using guard = newGuard({ maxAttempts: 3, retryBackoffMs: { initial: 60_000, max: 60_000 } });
    const stopped = new AbortController();
    const call = guard.call(fail, { signal: stopped.signal, idempotent: true });
    const outcome = expect(call).rejects.toThrow('gone');
    await vi.advanceTimersByTimeAsync(1);
    stopped.abort(new Error('gone'));
    await outcome;
  });

  test('1,000 calls leave no listener on the signal', async () => {
    using guard = newGuard();
    const { signal } = new AbortController();
    for (let call = 0; call < 1_000; call += 1) await guard.call(succeed, { signal, idempotent: call % 2 === 0 });
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });

  test('any history of failures, answers and pauses: the breaker is where a simple model says', async () => {
    const step = fc.constantFrom('fail', 'answer', 'wait') satisfies fc.Arbitrary<string>;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        using guard = newGuard({ breakerThreshold: 2, breakerBackoffMs: { initial: 100, max: 400 } });
        let failures = 0;
        let openings = 0;
        let openUntil = -1;
        for (const one of steps) {
          if (one === 'wait') {
            await vi.advanceTimersByTimeAsync(100);
          } else if (openings > 0 && Date.now() < openUntil) {
            await expect(guard.call(succeed, ONCE)).rejects.toBeInstanceOf(CircuitOpenError);
          } else if (one === 'answer') {
            await guard.call(succeed, ONCE);
            failures = 0;
            openings = 0;
          } else {
            await failTimes(guard, 1);
            failures += 1;
            if (openings > 0 || failures >= 2) {
              openUntil = Date.now() + Math.min(400, 100 * 2 ** openings);
              openings += 1;
            }
          }
          const { state, consecutiveFailures, retryAt } = guard.status().breaker;
          expect(state).toBe(openings > 0 ? 'OPEN' : 'CLOSED');
          expect(consecutiveFailures).toBe(failures);
          expect(retryAt).toBe(openings > 0 ? new Date(openUntil).toISOString() : null);
        }
      }),
    );
  });
});
