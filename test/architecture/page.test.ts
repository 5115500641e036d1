import { expect, test } from 'vitest';
import { readPage, rowsOf } from '../docs/page.js';
import { ROOMS } from './rooms.js';

/** Returns the code spans of a table cell. */
function codeSpansIn(cell: string): readonly string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
}

test('docs/architecture.md lists each room and its allowed imports', () => {
  const text = readPage('docs/architecture.md');
  const rows = rowsOf(text.slice(text.indexOf('## Rooms'))).slice(1);
  const documented = rows.map(([room = '', , imports = '']) => [codeSpansIn(room)[0], codeSpansIn(imports)]);
  expect(Object.fromEntries(documented)).toEqual(ROOMS.imports);
});
