import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import { ROOMS, TYPES_FOR_ALL, TYPES_OF } from './rooms.js';

const SRC = fileURLToPath(new URL('../../src', import.meta.url));

const MAX_LINES = 350;

type Sources = ReadonlyMap<string, string>;

function roomOf(file: string): string {
  const [first = '', ...rest] = file.split('/');
  return rest.length === 0 ? first.replace(/\.ts$/, '') : first;
}

interface Import {
  /** Relative to src. */
  readonly target: string;
  readonly isTypeOnly: boolean;
}

/** What a file imports by a relative path: statically, dynamically, for its types, or to export it again. */
function importsOf(file: string, text: string): readonly Import[] {
  const found: Import[] = [];
  const add = (path: ts.Node | undefined, isTypeOnly: boolean): void => {
    if (path === undefined || !ts.isStringLiteralLike(path) || !path.text.startsWith('.')) return;
    const target = normalize(join(dirname(file), path.text))
      .split(sep)
      .join('/')
      .replace(/\.js$/, '.ts');
    found.push({ target, isTypeOnly });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) add(node.moduleSpecifier, isTypeOnlyImport(node));
    else if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, isTypeOnlyExport(node));
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) add(node.argument.literal, true);
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      add(node.arguments[0], false);
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, text, ts.ScriptTarget.Latest));
  return found;
}

/** Whether its code, not its comments, says `process.env`. */
function readsEnvironment(file: string, text: string): boolean {
  const visit = (node: ts.Node): boolean =>
    (ts.isPropertyAccessExpression(node) &&
      node.name.text === 'env' &&
      ts.isIdentifier(node.expression) &&
      node.expression.text === 'process') ||
    ts.forEachChild(node, visit) === true;
  return text.includes('process.env') && visit(ts.createSourceFile(file, text, ts.ScriptTarget.Latest));
}

function isTypeOnlyImport({ importClause }: ts.ImportDeclaration): boolean {
  if (importClause === undefined) return false;
  if (importClause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true;
  const { name, namedBindings } = importClause;
  if (name !== undefined || namedBindings === undefined || !ts.isNamedImports(namedBindings)) return false;
  return namedBindings.elements.length > 0 && namedBindings.elements.every((element) => element.isTypeOnly);
}

function isTypeOnlyExport({ isTypeOnly, exportClause }: ts.ExportDeclaration): boolean {
  if (isTypeOnly) return true;
  if (exportClause === undefined || !ts.isNamedExports(exportClause)) return false;
  return exportClause.elements.length > 0 && exportClause.elements.every((element) => element.isTypeOnly);
}

function mayImport(room: string, other: string, isTypeOnly: boolean): boolean {
  if (ROOMS[room]?.includes(other) === true) return true;
  return isTypeOnly && (TYPES_FOR_ALL.includes(other) || TYPES_OF[room]?.includes(other) === true);
}

function breaches(sources: Sources): string[] {
  const found: string[] = [];
  for (const [file, text] of sources) {
    const room = roomOf(file);
    if (ROOMS[room] === undefined) found.push(`${file}: there is no room "${room}"`);
    if (/(^|\/)(utils|helpers|common)(\/|\.)/.test(file)) found.push(`${file}: says nothing about what is in it`);
    const lines = text.replace(/\n$/, '').split('\n').length;
    if (lines > MAX_LINES && !file.includes('generated/')) found.push(`${file}: is too long`);
    if (file !== 'main.ts' && readsEnvironment(file, text)) found.push(`${file}: reads process.env`);
    for (const { target, isTypeOnly } of importsOf(file, text)) {
      if (!sources.has(target)) {
        found.push(`${file}: imports ${target}, which is not in src`);
        continue;
      }
      const other = roomOf(target);
      if (other === room) continue;
      if (target.includes('/') && !target.endsWith('/index.ts') && room !== 'main') {
        found.push(`${file}: reaches into ${target}`);
      }
      if (!mayImport(room, other, isTypeOnly)) found.push(`${file}: "${room}" may not import "${other}"`);
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
    for (const { target } of importsOf(file, sources.get(file) ?? '')) {
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
    ['a file for everything', { 'state/a.ts': '//\n'.repeat(351) }, /too long/],
    [
      'an export of a forbidden room',
      { 'state/a.ts': "export * from '../mcp/index.js';", 'mcp/index.ts': '' },
      /"state" may not import "mcp"/,
    ],
    [
      'a type of a forbidden room, imported in place',
      { 'state/a.ts': "export type A = import('../mcp/index.js').A;", 'mcp/index.ts': '' },
      /"state" may not import "mcp"/,
    ],
    [
      'a value beside a type of a room that lends types only',
      {
        'state/a.ts': "import type { Logger } from '../telemetry/index.js';",
        'state/b.ts': "import { createLogger, type Logger } from '../telemetry/index.js';",
        'telemetry/index.ts': '',
      },
      /^state\/b\.ts: "state" may not import "telemetry"$/,
    ],
    [
      'a value of mcp in config',
      { 'config/a.ts': "import { connectSession } from '../mcp/index.js';", 'mcp/index.ts': '' },
      /"config" may not import "mcp"/,
    ],
    ['a file outside src', { 'state/a.ts': "import '../../test/support/reader.js';" }, /which is not in src/],
    ['the environment read in a room', { 'mcp/a.ts': 'const x = process.env;' }, /mcp\/a\.ts: reads process\.env/],
  ])('a breach is found: %s', (_name, files, message) => {
    expect(breaches(new Map(Object.entries(files))).join('\n')).toMatch(message);
  });

  test.each<[string, Record<string, string>]>([
    ['the door of a room', { 'state/a.ts': "import { x } from '../domain/index.js';", 'domain/index.ts': '' }],
    [
      'types of a room that lends its types',
      { 'config/a.ts': "import { type A, type B } from '../mcp/index.js';", 'mcp/index.ts': '' },
    ],
    ['a file of the longest kind', { 'state/a.ts': '//\n'.repeat(350) }],
  ])('no breach is found where there is none: %s', (_name, files) => {
    expect(breaches(new Map(Object.entries(files)))).toEqual([]);
  });
});
