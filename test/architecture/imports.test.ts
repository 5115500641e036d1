import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { ROOMS } from './rooms.js';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const DEPCRUISE = join(ROOT, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
const CONFIG = join(ROOT, '.dependency-cruiser.mjs');

const resultSchema = z.object({
  summary: z.object({
    violations: z.array(z.object({ from: z.string(), to: z.string(), rule: z.object({ name: z.string() }) })),
  }),
});

/** Returns the violations in a directory as `rule: from → to`. */
async function findViolations(directory: string): Promise<readonly string[]> {
  const { stdout } = await run(
    process.execPath,
    [DEPCRUISE, '--config', CONFIG, '--output-type', 'json', '--no-progress', 'src'],
    { cwd: directory, maxBuffer: 100_000_000 },
  );
  const { violations } = resultSchema.parse(JSON.parse(stdout)).summary;
  return violations.map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`);
}

const FORBIDDEN: readonly (readonly [title: string, file: string, source: string, violation: string])[] = [
  [
    'a room that is not allowed',
    'shared/a.ts',
    "import '../model/index.js';",
    'imports-of-shared: src/shared/a.ts → src/model/index.ts',
  ],
  [
    'an internal file of another room',
    'state/b.ts',
    "import '../model/agent.js';",
    'public-face-only: src/state/b.ts → src/model/agent.ts',
  ],
  [
    'the index of the own room',
    'state/c.ts',
    "import './index.js';",
    'no-own-index: src/state/c.ts → src/state/index.ts',
  ],
  [
    'a cycle of types',
    'delivery/a.ts',
    "export type { B } from './b.js'; export type A = 1;",
    'no-circular: src/delivery/a.ts → src/delivery/b.ts',
  ],
  [
    'a room through a dynamic import',
    'server/a.ts',
    "export const a = import('../mcp/index.js');",
    'imports-of-server: src/server/a.ts → src/mcp/index.ts',
  ],
  [
    'a room through an export',
    'state/d.ts',
    "export * from '../mcp/index.js';",
    'imports-of-state: src/state/d.ts → src/mcp/index.ts',
  ],
  [
    'a room through an inline type import',
    'state/e.ts',
    "export type E = import('../mcp/index.js').M;",
    'imports-of-state: src/state/e.ts → src/mcp/index.ts',
  ],
  [
    'types of a room that is not allowed',
    'state/f.ts',
    "import type { M } from '../mcp/index.js'; export type F = M;",
    'imports-of-state: src/state/f.ts → src/mcp/index.ts',
  ],
  [
    'a value of a room whose types alone are allowed',
    'config/a.ts',
    "import { m } from '../mcp/index.js'; export const a = m;",
    'types-of-config: src/config/a.ts → src/mcp/index.ts',
  ],
  [
    'an earlier part of the same room',
    'tap/rpc-message.ts',
    "import './run-tap.js';",
    'order-in-tap-4: src/tap/rpc-message.ts → src/tap/run-tap.ts',
  ],
  [
    'a file that does not exist',
    'state/g.ts',
    "import './missing.js';",
    'not-resolvable: src/state/g.ts → ./missing.js',
  ],
  [
    'a file outside src',
    'state/h.ts',
    "import '../../test/reader.js';",
    'src-imports-src-and-packages: src/state/h.ts → test/reader.ts',
  ],
  [
    'a file with a catch-all name',
    'state/i.ts',
    "import './utils.js';",
    'no-catch-all-names: src/state/i.ts → src/state/utils.ts',
  ],
];

const ALLOWED: readonly (readonly [title: string, file: string, source: string])[] = [
  ['the index of an allowed room', 'state/j.ts', "import { a } from '../model/index.js'; export const j = a;"],
  [
    'types of a room whose types alone are allowed',
    'config/b.ts',
    "import type { M } from '../mcp/index.js'; export type B = M;",
  ],
  ['a later part of the same room', 'tap/session-tracker.ts', "import './rpc-message.js';"],
];

const OTHER_FILES: readonly (readonly [file: string, source: string])[] = [
  ['src/model/index.ts', "export * from './agent.js';"],
  ['src/model/agent.ts', 'export const a = 1;'],
  ['src/mcp/index.ts', 'export const m = 1; export type M = 1;'],
  ['src/state/index.ts', 'export const s = 1;'],
  ['src/state/utils.ts', 'export const u = 1;'],
  ['src/delivery/b.ts', "export type { A } from './a.js'; export type B = 1;"],
  ['src/tap/run-tap.ts', 'export const t = 1;'],
  ['test/reader.ts', 'export const r = 1;'],
  ['tsconfig.json', '{ "compilerOptions": { "module": "NodeNext", "target": "ES2022" } }'],
  ['package.json', '{ "type": "module" }'],
];

describe('.dependency-cruiser.mjs', () => {
  let directory: string;
  let found: readonly string[];

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'swarmlens-test-'));
    const cases = [...FORBIDDEN, ...ALLOWED].map(([, file, source]) => [`src/${file}`, source] as const);
    for (const [file, source] of [...OTHER_FILES, ...cases]) {
      await mkdir(dirname(join(directory, file)), { recursive: true });
      await writeFile(join(directory, file), source);
    }
    found = await findViolations(directory);
  });

  afterAll(async () => {
    await rm(directory, { recursive: true, force: true });
  });

  test.each(FORBIDDEN)('reports %s', (_title, _file, _source, violation) => {
    expect(found).toContain(violation);
  });

  test.each(ALLOWED)('accepts %s', (_title, file) => {
    expect(found.filter((violation) => violation.includes(`: src/${file} →`))).toEqual([]);
  });

  test('defines every room that it allows to import', () => {
    const rooms = Object.keys(ROOMS.imports);
    expect(Object.values(ROOMS.imports).flat()).toEqual(expect.arrayContaining(['shared']));
    expect(
      Object.values(ROOMS.imports)
        .flat()
        .filter((room) => !rooms.includes(room)),
    ).toEqual([]);
  });
});
