import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createMemoryRateLimiter, MemoryLimitCounters } from '../../../src/server/index.js';
import { ClientRateLimiter } from '../../../src/server/limits/rate-limiter.js';
import { ConcurrencyLimiter } from '../../../src/server/limits/concurrency-limiter.js';
import { TokenBucket } from '../../../src/server/limits/token-bucket.js';
import { measureJsonBytes, measureJsonDepth } from '../../../src/server/limits/json-size.js';
import { ManualClock } from '../../support/manual-clock.js';

describe('ConcurrencyLimiter', () => {
  test('for any steps: never exceeds the limit of a key and holds nothing after all leases are disposed', () => {
    const step = fc.record({ key: fc.constantFrom('a', 'b', '__proto__'), take: fc.boolean(), which: fc.nat(9) });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4 }), fc.array(step), (max, steps) => {
        const limiter = new ConcurrencyLimiter(max);
        const taken = new Map<string, Disposable[]>();
        for (const { key, take, which } of steps) {
          const held = taken.get(key) ?? [];
          taken.set(key, held);
          if (take) {
            const lease = limiter.acquire(key);
            expect(lease === null).toBe(held.length >= max);
            if (lease !== null) held.push(lease);
          } else {
            const [lease] = held.splice(which % Math.max(1, held.length), 1);
            lease?.[Symbol.dispose]();
            lease?.[Symbol.dispose]();
          }
        }
        for (const held of taken.values()) for (const lease of held) lease[Symbol.dispose]();
        expect(limiter.size).toBe(0);
      }),
    );
  });
});

describe('TokenBucket', () => {
  test('allows a burst of five seconds and its rate afterwards', () => {
    const clock = new ManualClock();
    const bucket = new TokenBucket(clock, 10);
    const taken = (): number => {
      let count = 0;
      while (bucket.take()) count += 1;
      return count;
    };
    expect(taken()).toBe(50);
    clock.advance(100);
    expect(taken()).toBe(1);
    clock.advance(1_000);
    expect(taken()).toBe(10);
    clock.advance(60_000);
    expect(taken()).toBe(50);
  });

  test('for any pauses: never exceeds burst and rate', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), fc.array(fc.nat(500), { maxLength: 300 }), (rate, pauses) => {
        const clock = new ManualClock();
        const bucket = new TokenBucket(clock, rate);
        let taken = 0;
        let passedMs = 0;
        for (const pause of pauses) {
          clock.advance(pause);
          passedMs += pause;
          if (bucket.take()) taken += 1;
        }
        expect(taken).toBeLessThanOrEqual(rate * 5 + (passedMs / 1000) * rate + 1e-6);
      }),
    );
  });
});

describe('ClientRateLimiter', () => {
  test('limits each key separately and reports when to retry', async () => {
    const counters = new MemoryLimitCounters();
    const rate = new ClientRateLimiter('maxRequestsPerSecond', 2, createMemoryRateLimiter, counters);
    for (const key of ['a', 'b', 'a', 'b']) await rate.consume(key, 'two');
    const error = await rate.consume('a', 'two').catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      code: 'RATE_LIMITED',
      message: expect.stringContaining('two. Retry in') as string,
    });
    const { retryAfterMs } = (error as { details: { retryAfterMs: number } }).details; // matched above
    expect(retryAfterMs).toBeGreaterThan(0);
    expect(retryAfterMs).toBeLessThanOrEqual(1_000);
    expect(counters.read().filter(({ hits }) => hits > 0)).toEqual([{ name: 'maxRequestsPerSecond', hits: 1 }]);
  });
});

describe('JSON size', () => {
  test('for any value: measureJsonBytes is at least the real size and at most about twice as large', () => {
    const leaf = fc.oneof(fc.constant(null), fc.boolean(), fc.string({ unit: fc.constantFrom('a', 'é', '🐝') }));
    const json = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        leaf,
        fc.array(tie('value')),
        fc.dictionary(fc.string({ unit: fc.constantFrom('a', 'b', 'é') }), tie('value')),
      ),
    })).value;
    fc.assert(
      fc.property(json, (value) => {
        const real = Buffer.byteLength(JSON.stringify(value));
        const measured = measureJsonBytes(value, Infinity);
        expect(measured).toBeGreaterThanOrEqual(real);
        expect(measured).toBeLessThanOrEqual(real * 2 + 8);
      }),
    );
  });

  test('measureJsonDepth counts arrays and objects and stops at the maximum', () => {
    const deep = (levels: number): unknown => JSON.parse(`${'['.repeat(levels)}${']'.repeat(levels)}`);
    for (const levels of [1, 5, 64]) expect(measureJsonDepth(deep(levels), 64)).toBe(levels);
    expect(measureJsonDepth({ a: [1], b: { c: {} }, d: 'x' }, 64)).toBe(3);
    expect(measureJsonDepth(deep(100_000), 64)).toBe(65);
    expect([measureJsonDepth('x', 64), measureJsonDepth(null, 64), measureJsonDepth(undefined, 64)]).toEqual([0, 0, 0]);
  });
});
