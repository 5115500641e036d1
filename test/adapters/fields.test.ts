import { expect, test } from 'vitest';
import * as field from '../../src/adapters/responses/value-schemas.js';

test.each([
  ['2026-11-23T15:02:56.464Z', '2026-11-23T15:02:56.464Z'],
  ['2026-11-23T15:02:56Z', '2026-11-23T15:02:56.000Z'],
  ['2026-11-23T15:02:56.464123456Z', '2026-11-23T15:02:56.464Z'],
  ['2026-11-23T15:02:56.464123456+00:00', '2026-11-23T15:02:56.464Z'],
  ['2026-11-23T16:02:56.5+01:00', '2026-11-23T15:02:56.500Z'],
  ['2026-11-23 15:02:56.464123456 UTC', '2026-11-23T15:02:56.464Z'],
  ['2026-11-23 10:02:56.464 -0500', '2026-11-23T15:02:56.464Z'],
  ['2026-11-23T15:02:56', '2026-11-23T15:02:56.000Z'],
  [1_795_446_176_464, '2026-11-23T15:02:56.464Z'],
  [1_795_446_176, null],
  [0, null],
  [-1, null],
  [1e300, null],
  ['', null],
  ['now', null],
  ['2026-13-23T15:02:56Z', null],
  ['+275760-09-13T00:00:00Z', null],
  [true, null],
  [{}, null],
])('parseTimestamp converts %j to %j', (value, iso) => {
  expect(field.parseTimestamp(value)).toBe(iso);
});

test.each([
  [' Coder ', 'coder'],
  ['IN\u0000 PROGRESS\n', 'in progress'],
  ['\u202824/7\u2029', '24/7'],
  ['x'.repeat(65), 'x'.repeat(64)],
  [`${'x'.repeat(63)}😀`, 'x'.repeat(63)],
  ['\ud800a', 'a'],
  ['\t', null],
])('normalizeWord converts %j to %j', (text, word) => {
  expect(field.word.parse(text)).toBe(word);
});

test('value schemas shorten names and reject long ids', () => {
  expect(field.name.parse('n'.repeat(300))).toBe('n'.repeat(256));
  expect(field.id.safeParse('i'.repeat(256)).success).toBe(true);
  expect(field.id.safeParse('i'.repeat(257)).success).toBe(false);
});

test('the capabilities schema keeps at most 64 distinct short texts', () => {
  const given = ['a', 'a', 7, null, '', 'b'.repeat(100), ...Array.from({ length: 100 }, (_, index) => `c${index}`)];
  const kept = field.capabilities.parse(given);

  expect(kept.slice(0, 3)).toEqual(['a', 'b'.repeat(64), 'c0']);
  expect(kept).toHaveLength(64);
  expect(field.capabilities.parse(null)).toEqual([]);
});

test.each([
  [0, true],
  [1, true],
  [0.5, true],
  [1.01, false],
  [42, false],
  [-0.01, false],
  [Infinity, false],
  [NaN, false],
])('the ratio schema accepts %d: %s', (value, fits) => {
  expect(field.ratio.safeParse(value).success).toBe(fits);
});
