import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FadingColor, EasedValue } from '../../playground/graph/animation.js';

describe('EasedValue', () => {
  test('for any frame rate: covers half of the distance in one half-life', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), (frames) => {
        const eased = new EasedValue(0);
        eased.target = 100;
        for (let frame = 0; frame < frames; frame += 1) eased.step(120 / frames, 120, 0.01);
        expect(eased.now).toBeCloseTo(50, 5);
      }),
    );
  });

  test('for any values: approaches the target without overshooting and stops there', () => {
    fc.assert(
      fc.property(
        fc.double({ min: -1e4, max: 1e4, noNaN: true }),
        fc.double({ min: -1e4, max: 1e4, noNaN: true }),
        fc.double({ min: 1, max: 100, noNaN: true }),
        (from, to, elapsedMs) => {
          const eased = new EasedValue(from);
          eased.target = to;
          for (let distance = Math.abs(to - from); eased.step(elapsedMs, 50, 0.01);) {
            expect(Math.abs(to - eased.now)).toBeLessThanOrEqual(distance);
            distance = Math.abs(to - eased.now);
          }
          // `toBe` distinguishes 0 from -0.
          expect(eased.now === to).toBe(true);
        },
      ),
    );
  });
});

describe('FadingColor', () => {
  test('passes through at most 8 colors and ends at the target', () => {
    const fade = new FadingColor('#000000');
    fade.fadeTo('#ffffff');
    const seen = new Set<string>();
    while (fade.now !== '#ffffff') {
      fade.step(3);
      seen.add(fade.now);
    }
    expect(seen.size).toBeLessThanOrEqual(8);
    expect(fade.step(3)).toBe(false);
  });

  test('does not fade to its current color', () => {
    const fade = new FadingColor('#123456');
    fade.fadeTo('#123456');
    expect(fade.step(16)).toBe(false);
  });
});
