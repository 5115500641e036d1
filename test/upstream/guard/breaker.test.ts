import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { CircuitOpenError } from '../../../src/upstream/guard/errors.js';
import type { Guard } from '../../../src/upstream/guard/guard.js';
import type { CircuitTransition } from '../../../src/upstream/guard/circuit-breaker.js';
import { SessionClosedError, ToolRejectedError } from '../../../src/mcp/index.js';
import { fail, failTimes, hang, Held, holdTime, newGuard, ONCE, outcomeOf, succeed } from './support.js';

beforeEach(holdTime);
afterEach(() => vi.useRealTimers());

const refuse = (): Promise<never> => Promise.reject(new ToolRejectedError('no such tool', -32601));

describe('CircuitBreaker', () => {
  test('emits each transition with its time, and opens for longer when the probe fails', async () => {
    using guard = newGuard({ breakerThreshold: 3, breakerBackoffMs: { initial: 1_000, max: 30_000 } });
    const transitions: CircuitTransition[] = [];
    guard.onTransition((transition) => transitions.push(transition));
    const start = Date.now();
    await failTimes(guard, 2);
    expect(guard.status().breaker).toEqual({ state: 'CLOSED', consecutiveFailures: 2, openedAt: null, retryAt: null });
    await failTimes(guard, 1);
    expect(guard.status().breaker).toEqual({
      state: 'OPEN',
      consecutiveFailures: 3,
      openedAt: new Date(start).toISOString(),
      retryAt: new Date(start + 1_000).toISOString(),
    });
    await vi.advanceTimersByTimeAsync(999);
    expect(await outcomeOf(guard.call(succeed, ONCE))).toMatchObject({
      name: 'CircuitOpenError',
      retryAt: start + 1_000,
    });
    expect(guard.status()).toMatchObject({ calls: 3, rejected: 1 });
    await vi.advanceTimersByTimeAsync(1);
    const probe = new Held<string>();
    const probing = outcomeOf(guard.call(() => probe.promise, ONCE));
    expect(guard.status().breaker).toEqual({
      state: 'HALF_OPEN',
      consecutiveFailures: 3,
      openedAt: new Date(start).toISOString(),
      retryAt: null,
    });
    probe.reject(new Error('still broken'));
    await probing;
    expect(guard.status().breaker).toEqual({
      state: 'OPEN',
      consecutiveFailures: 4,
      openedAt: new Date(start + 1_000).toISOString(),
      retryAt: new Date(start + 3_000).toISOString(),
    });
    await vi.advanceTimersByTimeAsync(2_000);
    expect(await guard.call(succeed, ONCE)).toBe('answer');
    expect(guard.status().breaker).toEqual({ state: 'CLOSED', consecutiveFailures: 0, openedAt: null, retryAt: null });
    expect(transitions).toEqual([
      { from: 'CLOSED', to: 'OPEN', at: start, reason: 'broken pipe' },
      { from: 'OPEN', to: 'HALF_OPEN', at: start + 1_000, reason: null },
      { from: 'HALF_OPEN', to: 'OPEN', at: start + 1_000, reason: 'still broken' },
      { from: 'OPEN', to: 'HALF_OPEN', at: start + 3_000, reason: null },
      { from: 'HALF_OPEN', to: 'CLOSED', at: start + 3_000, reason: null },
    ]);
  });

  test('opens for the initial duration after it has closed', async () => {
    using guard = newGuard({ breakerThreshold: 1, breakerBackoffMs: { initial: 1_000, max: 30_000 } });
    await failTimes(guard, 1);
    await vi.advanceTimersByTimeAsync(1_000);
    await failTimes(guard, 1);
    await vi.advanceTimersByTimeAsync(2_000);
    await guard.call(succeed, ONCE);
    await failTimes(guard, 1);
    expect(guard.status().breaker.retryAt).toBe(new Date(Date.now() + 1_000).toISOString());
  });

  test.each([-1, 1])('stays open for its full duration when the wall clock changes by %s h', async (hours) => {
    using guard = newGuard({ breakerThreshold: 1, breakerBackoffMs: { initial: 1_000, max: 30_000 } });
    await failTimes(guard, 1);
    vi.setSystemTime(Date.now() + hours * 3_600_000);
    await vi.advanceTimersByTimeAsync(999);
    expect(await outcomeOf(guard.call(succeed, ONCE))).toMatchObject({
      name: 'CircuitOpenError',
      retryAt: Date.now() + 1,
    });
    await vi.advanceTimersByTimeAsync(1);
    expect(await guard.call(succeed, ONCE)).toBe('answer');
  });

  test('counts a rejection by the server as an answer, which resets failures and closes a half-open breaker', async () => {
    using guard = newGuard({ breakerThreshold: 2 });
    await failTimes(guard, 1);
    await outcomeOf(guard.call(refuse, ONCE));
    expect(guard.status()).toMatchObject({ failures: 1, breaker: { consecutiveFailures: 0 } });
    await failTimes(guard, 1);
    expect(guard.status().breaker).toMatchObject({ state: 'CLOSED', consecutiveFailures: 1 });
    await failTimes(guard, 1);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await outcomeOf(guard.call(refuse, ONCE))).toBeInstanceOf(ToolRejectedError);
    expect(guard.status().breaker.state).toBe('CLOSED');
  });

  test('counts a closed session as a failure', async () => {
    using guard = newGuard({ breakerThreshold: 1 });
    await outcomeOf(guard.call(() => Promise.reject(new SessionClosedError('gone')), ONCE));
    expect(guard.status().breaker.state).toBe('OPEN');
  });

  test('holds other calls until the probe ends, and rejects them when it fails', async () => {
    for (const answered of [true, false]) {
      using guard = newGuard({ breakerThreshold: 1 });
      await failTimes(guard, 1);
      await vi.advanceTimersByTimeAsync(1_000);
      const probe = new Held<string>();
      const probing = outcomeOf(guard.call(() => probe.promise, ONCE));
      const operation = vi.fn(succeed);
      const other = outcomeOf(guard.call(operation, ONCE));
      await vi.advanceTimersByTimeAsync(10);
      expect(operation).not.toHaveBeenCalled();
      if (answered) probe.resolve('recovered');
      else probe.reject(new Error('still broken'));
      await probing;
      if (answered) expect(await other).toBe('answer');
      else expect(await other).toBeInstanceOf(CircuitOpenError);
      expect(operation).toHaveBeenCalledTimes(answered ? 1 : 0);
    }
  });

  test('aborts a call that waited for the probe when its caller aborts', async () => {
    using guard = newGuard({ breakerThreshold: 1 });
    await failTimes(guard, 1);
    await vi.advanceTimersByTimeAsync(1_000);
    const probe = new Held<string>();
    const probing = guard.call(() => probe.promise, ONCE);
    const stopped = new AbortController();
    let given: AbortSignal | undefined;
    const other = outcomeOf(guard.call((signal) => ((given = signal), hang()), { ...ONCE, signal: stopped.signal }));
    probe.resolve('recovered');
    await probing;
    await vi.advanceTimersByTimeAsync(0);
    expect(given?.aborted).toBe(false);
    stopped.abort(new Error('gone'));
    expect(await other).toMatchObject({ message: 'gone' });
    expect(given?.aborted).toBe(true);
  });

  test('calls no listener after the listener or the guard is disposed', async () => {
    const guard = newGuard({ breakerThreshold: 1 });
    const first = vi.fn();
    const second = vi.fn();
    guard.onTransition(first)[Symbol.dispose]();
    guard.onTransition(second);
    await failTimes(guard, 1);
    guard[Symbol.dispose]();
    await vi.advanceTimersByTimeAsync(1_000);
    await guard.call(succeed, ONCE);
    expect(first).not.toHaveBeenCalled();
    expect(second).toHaveBeenCalledTimes(1);
  });
});

const THRESHOLD = 2;
const PAUSE = { initial: 100, max: 400 };
const TIMEOUT_MS = 10;

/** Reference model of the circuit breaker. */
class Model {
  failures = 0;
  /** Number of openings since the breaker was last closed. */
  openings = 0;
  openUntil = 0;

  get isOpen(): boolean {
    return this.openings > 0;
  }

  admitsCall(): boolean {
    return !this.isOpen || Date.now() >= this.openUntil;
  }

  answered(): void {
    this.failures = 0;
    this.openings = 0;
  }

  failed(): void {
    this.failures += 1;
    if (!this.isOpen && this.failures < THRESHOLD) return;
    this.openUntil = Date.now() + Math.min(PAUSE.max, PAUSE.initial * 2 ** this.openings);
    this.openings += 1;
  }
}

type Step = 'fail' | 'answer' | 'refuse' | 'time out' | 'give up' | { readonly waitMs: number };

const OPERATIONS = { fail, answer: succeed, refuse, 'time out': hang, 'give up': hang };

async function take(step: Step, guard: Guard, model: Model): Promise<void> {
  if (typeof step === 'object') {
    await vi.advanceTimersByTimeAsync(step.waitMs);
    return;
  }
  const admitsCall = model.admitsCall();
  const caller = new AbortController();
  const call = outcomeOf(guard.call(OPERATIONS[step], { signal: caller.signal, idempotent: false }));
  if (!admitsCall) {
    expect(await call).toBeInstanceOf(CircuitOpenError);
    return;
  }
  if (step === 'give up') caller.abort();
  await vi.advanceTimersByTimeAsync(step === 'time out' || step === 'give up' ? TIMEOUT_MS : 0);
  await call;
  if (step === 'answer' || step === 'refuse') model.answered();
  // A probe whose caller aborts continues until it times out.
  else if (step !== 'give up' || model.isOpen) model.failed();
}

const steps = fc.array(
  fc.oneof(
    fc.constantFrom<Step>('fail', 'fail', 'answer', 'refuse', 'time out', 'give up'),
    fc.integer({ min: 1, max: 450 }).map((waitMs): Step => ({ waitMs })),
  ),
  { maxLength: 40 },
);

describe('CircuitBreaker, against a reference model', () => {
  test('for any sequence of outcomes and pauses: the state equals that of the model', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (sequence) => {
        using guard = newGuard({ breakerThreshold: THRESHOLD, breakerBackoffMs: PAUSE, timeoutMs: TIMEOUT_MS });
        const model = new Model();
        for (const step of sequence) {
          await take(step, guard, model);
          expect(guard.status().breaker).toMatchObject({
            state: model.isOpen ? 'OPEN' : 'CLOSED',
            consecutiveFailures: model.failures,
            retryAt: model.isOpen ? new Date(model.openUntil).toISOString() : null,
          });
        }
      }),
      { numRuns: 200 },
    );
  });
});
