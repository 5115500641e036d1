import { vi } from 'vitest';
import { createGuard, type Guard } from '../../../src/upstream/guard/guard.js';
import { GUARD_DEFAULTS, type GuardOptions } from '../../../src/upstream/guard/guard-options.js';
import { systemClock } from '../../../src/shared/index.js';

export const NEVER = new AbortController().signal;
export const AGAIN = { signal: NEVER, idempotent: true };
export const ONCE = { signal: NEVER, idempotent: false };

/** Installs fake timers for the global clock, which cockatiel reads. */
export function holdTime(): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] });
}

export const TEST_OPTIONS: GuardOptions = {
  ...GUARD_DEFAULTS,
  timeoutMs: 3_000,
  breakerThreshold: 5,
  breakerBackoffMs: { initial: 1_000, max: 30_000 },
};

export function newGuard(options: Partial<GuardOptions> = {}): Guard {
  return createGuard({ ...TEST_OPTIONS, ...options }, { clock: systemClock });
}

export const fail = (): Promise<never> => Promise.reject(new Error('broken pipe'));
export const succeed = (): Promise<string> => Promise.resolve('answer');
export const hang = (): Promise<never> => new Promise(() => undefined);

/** Makes failing calls, one after another. */
export async function failTimes(guard: Guard, times: number): Promise<void> {
  for (let time = 0; time < times; time += 1) await outcomeOf(guard.call(fail, ONCE));
}

/** Resolves to the value or the error, so that a rejection is handled before the test awaits it. */
export function outcomeOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    (value) => value,
    (error: unknown) => error,
  );
}

/** Promise that the test resolves or rejects. */
export class Held<T> {
  resolve: (value: T) => void = () => undefined;
  reject: (error: Error) => void = () => undefined;
  readonly promise = new Promise<T>((resolve, reject) => {
    this.resolve = resolve;
    this.reject = reject;
  });
}
