import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

test('every test and page that SECURITY.md names exists', () => {
  const text = readFileSync(new URL('../../SECURITY.md', import.meta.url), 'utf8');
  const named = [...text.matchAll(/`(test\/[^`]+|\.ci\/run)`|\]\((docs\/[^)]+)\)/g)].map(
    (match) => match[1] ?? match[2] ?? '',
  );
  expect(named.length).toBeGreaterThan(20);
  const missing = named.filter((path) => !existsSync(new URL(`../../${path}`, import.meta.url)));
  expect(missing).toEqual([]);
});
