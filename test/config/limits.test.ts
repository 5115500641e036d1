import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Config, DEFAULT_LIMITS, loadConfig } from '../../src/config/index.js';

async function load(own: object): Promise<Config> {
  const cwd = await mkdtemp(join(tmpdir(), 'swarmlens-test-'));
  try {
    await writeFile(join(cwd, 'config.json'), JSON.stringify({ mcpServers: {}, swarmlens: own }));
    return await loadConfig({ flags: { config: 'config.json' }, env: {}, cwd, program: '/main.js' });
  } finally {
    await rm(cwd, { recursive: true, force: true });
  }
}

test('loadConfig uses the default of each limit that is not set', async () => {
  expect((await load({})).limits).toEqual(DEFAULT_LIMITS);
  expect((await load({ limits: {} })).limits).toEqual(DEFAULT_LIMITS);
  const set = { maxDepth: 3, introspection: false, maxRequestsPerSecond: 1_000_000_000 };
  expect((await load({ limits: set })).limits).toEqual({ ...DEFAULT_LIMITS, ...set });
});

test('loadConfig accepts the default of each limit', async () => {
  expect((await load({ limits: DEFAULT_LIMITS })).limits).toEqual(DEFAULT_LIMITS);
});
