import { describe, expect, test } from 'vitest';
import { RateMeter, toEffectiveHz } from '../../../src/delivery/ticks/rate-meter.js';

describe('RateMeter', () => {
  test('averages served and skipped ticks over about ten', () => {
    const meter = new RateMeter();
    meter.recordServed();
    expect(meter.share).toBe(1);
    meter.recordSkipped();
    expect(meter.share).toBeCloseTo(0.9);
    meter.recordSkipped(2);
    expect(meter.share).toBeCloseTo(0.729);
    meter.recordServed();
    expect(meter.share).toBeCloseTo(0.7561);
  });

  test('returns to exactly 1 when nearly all ticks are served again', () => {
    const meter = new RateMeter();
    meter.recordSkipped();
    const shares = Array.from({ length: 8 }, () => {
      meter.recordServed();
      return meter.share;
    });
    expect(shares[5]).toBeCloseTo(0.9469, 4);
    expect(shares.slice(6)).toEqual([1, 1]);
  });
});

test.each([
  [10, 1, 10],
  [0.3333, 1, 0.3333],
  [60, 0.5, 30],
  [60, 0.516, 31],
  [60, 0.1, 6],
  [60, 0.1234, 7.4],
  [20, 0.5, 10],
  [20, 0.4976, 10],
])('toEffectiveHz rounds %d Hz with a share of %d to %d', (hz, share, expected) => {
  expect(toEffectiveHz(hz, share)).toBe(expected);
});
