import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadConfig } from '../../src/config/index.js';

test('every configuration in the README and on the pages of docs/ is one: no example has a mistake in it', async () => {
  const pages = ['README.md', 'docs/servers.md', 'docs/access-control.md', 'docs/configuration.md'];
  const texts = await Promise.all(pages.map((path) => readFile(new URL(`../../${path}`, import.meta.url), 'utf8')));
  const examples = [...texts.join('\n').matchAll(/```json\n(.*?)```/gs)].flatMap(([, text = '']) =>
    text.includes('"mcpServers"') ? [text] : [],
  );
  expect(examples.length).toBeGreaterThanOrEqual(8);
  const directory = await mkdtemp(join(tmpdir(), 'swarmlens-test-'));
  try {
    for (const text of examples) {
      await writeFile(join(directory, 'example.json'), text);
      const flags = { config: 'example.json' };
      const env = { SWARM_TOKEN: 'x', WS_AUTH_TOKEN: 'x' };
      const { servers, warnings } = await loadConfig({ flags, env, cwd: directory, program: '/main.js' });
      // A tap is no server of ours, and is told.
      expect(servers.length + warnings.length).toBeGreaterThan(0);
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});
