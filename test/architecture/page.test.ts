import { expect, test } from 'vitest';
import { page, rowsOf } from '../docs/page.js';
import { ROOMS } from './rooms.js';

/** Names in `…` of a cell of a table. */
function namesIn(cell: string): readonly string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
}

test('docs/architecture.md has each room, and what it may import', () => {
  const text = page('docs/architecture.md');
  const rows = rowsOf(text.slice(text.indexOf('## The rooms'))).slice(1);
  const documented = rows.map(([room = '', , imports = '']) => [namesIn(room)[0], namesIn(imports)]);
  expect(Object.fromEntries(documented)).toEqual(ROOMS);
});
