import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const SCRIPT = fileURLToPath(new URL('../../scripts/scale/simulate.js', import.meta.url));
const DOCUMENT = fileURLToPath(new URL('../../docs/scale.md', import.meta.url));

test('docs/scale.md shows what the simulation prints; `npm run simulate:scale -- --write` brings it up to date', () => {
  const printed = execFileSync(process.execPath, [SCRIPT], { encoding: 'utf8' });
  const shown = /<!-- npm run simulate:scale -->\n([^]*)<!-- end -->/.exec(readFileSync(DOCUMENT, 'utf8'))?.[1];
  expect(printed.trim()).not.toBe('');
  expect(shown?.trim()).toBe(printed.trim());
});
