import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { LIMIT_KEYS } from '../../src/config/limits.js';
import { swarmlensOptionsSchema, serverOptionsSchema } from '../../src/config/schema.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

test('docs/configuration.md is what the schema of the configuration says: `npm run codegen` has been run', () => {
  const { status, stderr } = spawnSync(process.execPath, ['scripts/docs-configuration.js', '--check'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  expect([status, stderr]).toEqual([0, '']);
});

test('it has a line for each key', async () => {
  const text = await readFile(new URL('../../docs/configuration.md', import.meta.url), 'utf8');
  const keys = [...Object.keys(swarmlensOptionsSchema.shape), ...Object.keys(serverOptionsSchema.shape), ...LIMIT_KEYS];
  expect(keys.length).toBeGreaterThan(50);
  expect(keys.filter((key) => !new RegExp(`^\\| \`${key}\` `, 'm').test(text))).toEqual([]);
});
