import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const DOCUMENT = fileURLToPath(new URL('../../../docs/scale.md', import.meta.url));
const SOURCES = fileURLToPath(new URL('../../../src/cluster/', import.meta.url));

test('the documented Redis user may run every command that src/cluster calls', () => {
  const rule = /^user swarmlens .*$/m.exec(readFileSync(DOCUMENT, 'utf8'))?.[0] ?? '';
  const allowed = new Set([...rule.matchAll(/ \+([a-z]+)(?=[ |]|$)/g)].map(([, name]) => name));
  const called = new Set<string>();
  for (const file of readdirSync(SOURCES, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.ts')) continue;
    const text = readFileSync(`${SOURCES}${file}`, 'utf8');
    const calls = /redis\.call\('([A-Z]+)'|\b(?:commands|client|subscriber)\.(\w+)\(/g;
    for (const [, inScript, name] of text.matchAll(calls)) called.add((inScript ?? name ?? '').toLowerCase());
  }
  for (const name of ['on', 'once', 'off', 'disconnect', 'sendcommand']) called.delete(name);
  expect(called.size).toBeGreaterThan(15);
  expect([...called].filter((name) => !allowed.has(name))).toEqual([]);
});
