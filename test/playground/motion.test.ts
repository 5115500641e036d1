import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FadingColor, EasedValue } from '../../playground/graph/animation.js';

describe('Glide', () => {
  test('half of the way is made in a half-life, whatever the frame rate', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), (frames) => {
        const glide = new EasedValue(0);
        glide.target = 100;
        for (let frame = 0; frame < frames; frame += 1) glide.step(120 / frames, 120, 0.01);
        expect(glide.now).toBeCloseTo(50, 5);
      }),
    );
  });

  test('it never goes too far, arrives, and then does not move', () => {
    fc.assert(
      fc.property(
        fc.double({ min: -1e4, max: 1e4, noNaN: true }),
        fc.double({ min: -1e4, max: 1e4, noNaN: true }),
        fc.double({ min: 1, max: 100, noNaN: true }),
        (from, to, passedMs) => {
          const glide = new EasedValue(from);
          glide.target = to;
          for (let left = Math.abs(to - from); glide.step(passedMs, 50, 0.01);) {
            expect(Math.abs(to - glide.now)).toBeLessThanOrEqual(left);
            left = Math.abs(to - glide.now);
          }
          // Whatever the sign of its zero.
          expect(glide.now === to).toBe(true);
        },
      ),
    );
  });
});

describe('Fade', () => {
  test('it goes through few colours only, as the renderer keeps each, and ends at the target', () => {
    const fade = new FadingColor('#000000');
    fade.to('#ffffff');
    const seen = new Set<string>();
    while (fade.now !== '#ffffff') {
      fade.step(3);
      seen.add(fade.now);
    }
    expect(seen.size).toBeLessThanOrEqual(8);
    expect(fade.step(3)).toBe(false);
  });

  test('the target that it has already starts nothing', () => {
    const fade = new FadingColor('#123456');
    fade.to('#123456');
    expect(fade.step(16)).toBe(false);
  });
});
