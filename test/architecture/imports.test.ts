import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';

const SRC = fileURLToPath(new URL('../../src', import.meta.url));

/**
 * What each room may import of the others: their `index.ts` only. `telemetry`'s Logger type is allowed everywhere. A
 * file directly in src/ is a room of its own name.
 */
const ROOMS: Readonly<Record<string, readonly string[]>> = {
  main: ['cli'],
  index: ['app', 'client', 'config', 'shared', 'telemetry', 'domain'],
  cli: ['app', 'check', 'config', 'shared', 'telemetry', 'simulator'],
  app: ['bus', 'collector', 'config', 'delivery', 'limits', 'server', 'shared', 'state', 'telemetry'],
  check: ['app', 'bus', 'collector', 'config', 'domain', 'state'],
  config: ['shared', 'domain', 'mcp'],
  shared: [],
  domain: ['shared'],
  telemetry: ['shared'],
  mcp: ['shared'],
  guard: ['mcp', 'domain', 'shared'],
  adapters: ['guard', 'mcp', 'domain', 'shared'],
  collector: ['adapters', 'guard', 'mcp', 'domain', 'state', 'bus', 'shared'],
  state: ['domain', 'shared'],
  bus: ['domain', 'state', 'shared'],
  delivery: ['domain', 'state', 'bus', 'shared'],
  auth: ['domain', 'shared'],
  limits: ['domain', 'shared'],
  schema: ['domain', 'auth', 'collector', 'delivery', 'state', 'shared'],
  server: ['schema', 'auth', 'limits', 'delivery', 'shared'],
  client: [],
  simulator: ['shared'],
};

const MAX_LINES = 350;

type Sources = ReadonlyMap<string, string>;

function roomOf(file: string): string {
  const [first = '', ...rest] = file.split('/');
  return rest.length === 0 ? first.replace(/\.ts$/, '') : first;
}

/** Paths that a file imports from within src, type imports included. */
function importsOf(file: string, text: string): string[] {
  return ts
    .preProcessFile(text, true, true)
    .importedFiles.map(({ fileName }) => fileName)
    .filter((path) => path.startsWith('.'))
    .map((path) =>
      normalize(join(dirname(file), path))
        .split(sep)
        .join('/')
        .replace(/\.js$/, '.ts'),
    );
}

function breaches(sources: Sources): string[] {
  const found: string[] = [];
  for (const [file, text] of sources) {
    const room = roomOf(file);
    const allowed = ROOMS[room];
    if (allowed === undefined) found.push(`${file}: there is no room "${room}"`);
    if (/(^|\/)(utils|helpers|common)(\/|\.)/.test(file)) found.push(`${file}: says nothing about what is in it`);
    if (text.split('\n').length > MAX_LINES && !file.includes('generated/')) found.push(`${file}: is too long`);
    for (const target of importsOf(file, text)) {
      if (!sources.has(target)) continue;
      const other = roomOf(target);
      if (other === room) continue;
      if (target.includes('/') && !target.endsWith('/index.ts') && room !== 'main') {
        found.push(`${file}: reaches into ${target}`);
      }
      if (other === 'telemetry' && text.includes('import type { Logger } from')) continue;
      if (allowed?.includes(other) !== true) found.push(`${file}: "${room}" may not import "${other}"`);
    }
  }
  return [...found, ...cycles(sources)];
}

function cycles(sources: Sources): string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (file: string, trail: readonly string[]): void => {
    if (trail.includes(file)) {
      found.push(`cycle: ${[...trail.slice(trail.indexOf(file)), file].join(' → ')}`);
      return;
    }
    if (done.has(file)) return;
    for (const target of importsOf(file, sources.get(file) ?? '')) {
      if (sources.has(target)) visit(target, [...trail, file]);
    }
    done.add(file);
  };
  for (const file of sources.keys()) visit(file, []);
  return found;
}

function readSources(): Sources {
  const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  return new Map(
    files.map((file) => [relative(SRC, join(SRC, file)).split(sep).join('/'), readFileSync(join(SRC, file), 'utf8')]),
  );
}

describe('the rooms of src', () => {
  test('import only what they may, only through the door, and without cycles', () => {
    expect(breaches(readSources())).toEqual([]);
  });

  test.each<[string, Record<string, string>, RegExp]>([
    [
      'a forbidden room',
      { 'shared/a.ts': "import type { X } from '../domain/index.js';", 'domain/index.ts': '' },
      /"shared" may not import "domain"/,
    ],
    [
      'an inner file',
      { 'state/a.ts': "import { x } from '../domain/agent.js';", 'domain/agent.ts': '' },
      /reaches into domain\/agent\.ts/,
    ],
    [
      'a cycle of types',
      { 'state/a.ts': "import type { B } from './b.js';", 'state/b.ts': "export type { A } from './a.js';" },
      /cycle: state\/a\.ts → state\/b\.ts → state\/a\.ts/,
    ],
    [
      'a dynamic import',
      { 'server/a.ts': "const x = import('../mcp/index.js');", 'mcp/index.ts': '' },
      /"server" may not import "mcp"/,
    ],
    ['a room that nobody knows', { 'stuff/a.ts': '' }, /no room "stuff"/],
    ['a folder for everything', { 'state/utils/a.ts': '' }, /says nothing/],
    ['a file for everything', { 'state/a.ts': '\n'.repeat(400) }, /too long/],
  ])('a breach is found: %s', (_name, files, message) => {
    expect(breaches(new Map(Object.entries(files))).join('\n')).toMatch(message);
  });
});
