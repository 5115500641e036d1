import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadConfig } from '../../src/config/index.js';
import { readConfigExamples } from './examples.js';

test('loadConfig accepts every configuration in README.md and docs/', async () => {
  const examples = await readConfigExamples();
  expect(examples.length).toBeGreaterThanOrEqual(8);
  const directory = await mkdtemp(join(tmpdir(), 'swarmlens-test-'));
  try {
    for (const text of examples) {
      await writeFile(join(directory, 'example.json'), text);
      const flags = { config: 'example.json' };
      const env = { SWARM_TOKEN: 'x', WS_AUTH_TOKEN: 'x' };
      const { servers, warnings } = await loadConfig({ flags, env, cwd: directory, program: '/main.js' });
      // A tap is reported as a warning instead of a server.
      expect(servers.length + warnings.length).toBeGreaterThan(0);
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});
