import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Config, ConfigError, loadConfig } from '../../src/config/index.js';

let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'swarmlens-test-'));
  await writeFile(join(directory, 'c.json'), '{"mcpServers":{},"swarmlens":{"trustedDocuments":"manifest.json"}}');
});

afterAll(async () => {
  await rm(directory, { recursive: true, force: true });
});

async function load(manifest: string | null): Promise<Config> {
  const file = join(directory, 'manifest.json');
  await rm(file, { force: true });
  if (manifest !== null) await writeFile(file, manifest);
  return await loadConfig({ flags: { config: 'c.json' }, env: {}, cwd: directory, program: '/program/main.js' });
}

test('loadConfig reads the manifest relative to the configuration file', async () => {
  const text = 'query A { agents { id } }';
  const hash = createHash('sha256').update(text).digest('hex');
  const { trustedDocuments } = await load(JSON.stringify({ [hash]: text }));
  expect(trustedDocuments).toEqual(new Map([[hash, text]]));
});

test.each([
  ['is missing', null, 'cannot be read'],
  ['is not JSON', '{', 'is not JSON'],
  ['is a list', '[]', 'expected an object with documents'],
  ['contains a value that is not text', '{"a":1}', 'expected an object with documents'],
  [
    'has a hash other than SHA-256',
    JSON.stringify({ [createHash('sha1').update('{a}').digest('hex')]: '{a}' }),
    'is not the SHA-256 of its document',
  ],
])('loadConfig rejects a manifest that %s', async (_what, manifest, reason) => {
  const error: unknown = await load(manifest).catch((thrown: unknown) => thrown);
  if (!(error instanceof ConfigError)) throw new Error(`no ConfigError but ${String(error)}`);
  expect(error.problems).toEqual([
    expect.stringMatching(new RegExp(`^swarmlens\\.trustedDocuments: .*manifest\\.json: .*${reason}`)),
  ]);
});
