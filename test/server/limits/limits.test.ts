import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createMemoryRateLimiter, MemoryLimitCounters } from '../../../src/server/index.js';
import { ClientRateLimiter } from '../../../src/server/limits/rate-limiter.js';
import { ConcurrencyLimiter } from '../../../src/server/limits/concurrency-limiter.js';
import { TokenBucket } from '../../../src/server/limits/token-bucket.js';
import { measureJsonBytes, measureJsonDepth } from '../../../src/server/limits/json-size.js';
import { ManualClock } from '../../support/manual-clock.js';

describe('shares', () => {
  test('never more than the most are taken of a key, and none is left when all are given back, once or twice', () => {
    const step = fc.record({ key: fc.constantFrom('a', 'b', '__proto__'), take: fc.boolean(), which: fc.nat(9) });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4 }), fc.array(step), (max, steps) => {
        const shares = new ConcurrencyLimiter(max);
        const taken = new Map<string, Disposable[]>();
        for (const { key, take, which } of steps) {
          const own = taken.get(key) ?? [];
          taken.set(key, own);
          if (take) {
            const share = shares.acquire(key);
            expect(share === null).toBe(own.length >= max);
            if (share !== null) own.push(share);
          } else {
            const [share] = own.splice(which % Math.max(1, own.length), 1);
            share?.[Symbol.dispose]();
            share?.[Symbol.dispose]();
          }
        }
        for (const own of taken.values()) for (const share of own) share[Symbol.dispose]();
        expect(shares.size).toBe(0);
      }),
    );
  });
});

describe('a token bucket', () => {
  test('gives what was saved up in five seconds at once, and then no more than its rate', () => {
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

  test('whenever it is asked, it never gives more than saved and rate allow', () => {
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

describe('a rate', () => {
  test('is for each key by itself; what is refused is counted and says when to try again', async () => {
    const counters = new MemoryLimitCounters();
    const rate = new ClientRateLimiter('maxRequestsPerSecond', 2, createMemoryRateLimiter, counters);
    for (const key of ['a', 'b', 'a', 'b']) await rate.consume(key, 'two');
    const error = await rate.consume('a', 'two').catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      code: 'RATE_LIMITED',
      message: expect.stringContaining('two. Retry in') as string,
    });
    const { retryAfterMs } = (error as { details: { retryAfterMs: number } }).details; // as it has just been matched
    expect(retryAfterMs).toBeGreaterThan(0);
    expect(retryAfterMs).toBeLessThanOrEqual(1_000);
    expect(counters.read().filter(({ hits }) => hits > 0)).toEqual([{ name: 'maxRequestsPerSecond', hits: 1 }]);
  });
});

describe('the size of JSON', () => {
  test('is never below the bytes it has without escapes and numbers, nor far above', () => {
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
        const seen = measureJsonBytes(value, Infinity);
        expect(seen).toBeGreaterThanOrEqual(real);
        expect(seen).toBeLessThanOrEqual(real * 2 + 8);
      }),
    );
  });

  test('its depth is that of its lists and objects, and no more than is asked for is looked at', () => {
    const deep = (levels: number): unknown => JSON.parse(`${'['.repeat(levels)}${']'.repeat(levels)}`);
    for (const levels of [1, 5, 64]) expect(measureJsonDepth(deep(levels), 64)).toBe(levels);
    expect(measureJsonDepth({ a: [1], b: { c: {} }, d: 'x' }, 64)).toBe(3);
    expect(measureJsonDepth(deep(100_000), 64)).toBe(65);
    expect([measureJsonDepth('x', 64), measureJsonDepth(null, 64), measureJsonDepth(undefined, 64)]).toEqual([0, 0, 0]);
  });
});
