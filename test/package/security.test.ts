import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

test('whatever SECURITY.md names as the test of a promise is there', () => {
  const text = readFileSync(new URL('../../SECURITY.md', import.meta.url), 'utf8');
  const named = [...text.matchAll(/`(test\/[^`]+|\.ci\/run)`|\]\((docs\/[^)]+)\)/g)].map(
    (found) => found[1] ?? found[2] ?? '',
  );
  expect(named.length).toBeGreaterThan(20);
  const missing = named.filter((path) => !existsSync(new URL(`../../${path}`, import.meta.url)));
  expect(missing).toEqual([]);
});
