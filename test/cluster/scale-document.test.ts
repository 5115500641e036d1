import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const SCRIPT = fileURLToPath(new URL('../../scripts/scale/simulate.js', import.meta.url));
const DOCUMENT = fileURLToPath(new URL('../../docs/scale.md', import.meta.url));

// `npm run simulate:scale -- --write` updates the document.
describe('docs/scale.md', () => {
  test('contains the output of the simulation', () => {
    const printed = execFileSync(process.execPath, [SCRIPT], { encoding: 'utf8' });
    const shown = /<!-- npm run simulate:scale -->\n([^]*)<!-- end -->/.exec(readFileSync(DOCUMENT, 'utf8'))?.[1];
    expect(printed.trim()).not.toBe('');
    expect(shown?.trim()).toBe(printed.trim());
  });
});
