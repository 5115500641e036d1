import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const SRC = fileURLToPath(new URL('../../src/', import.meta.url));

/** Returns the statements of all source files that load matching modules at run time, by file. */
function findImports(module: string): Record<string, string[]> {
  const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.ts'));
  const entries = files.flatMap((path) => {
    const lines = readFileSync(`${SRC}${path}`, 'utf8').split('\n');
    const found = lines.filter((line) => line.includes(module) && !line.startsWith('import type '));
    return found.length === 0 ? [] : [[path.replaceAll('\\', '/'), found.map((line) => line.trim())] as const];
  });
  return Object.fromEntries(entries);
}

test('Ink and React are loaded only when watch draws in a terminal', () => {
  const load = "const [ink, react] = await Promise.all([import('ink'), import('react')]);";
  expect(findImports("'ink'")).toEqual({ 'cli/watch/ink-screen.ts': [load] });
  expect(findImports("'react'")).toEqual({ 'cli/watch/ink-screen.ts': [load] });
  expect(findImports("ink-screen.js'")).toEqual({ 'cli/commands/watch.ts': ["import('../watch/ink-screen.js'),"] });
});
