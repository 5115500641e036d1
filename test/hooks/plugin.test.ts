import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import {
  CLAUDE_CODE_EVENTS,
  createHooks,
  createPlugin,
  DEFAULT_HOOKS_PORT,
  PLUGIN_DIRECTORY,
} from '../../src/hooks/index.js';
import { runInProcess } from '../cli/run-command.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

async function readRepositoryFile(path: string): Promise<string> {
  return readFile(join(ROOT, path), 'utf8');
}

test('the plugin for Claude Code is up to date (npm run codegen)', async () => {
  const { version } = JSON.parse(await readRepositoryFile('package.json')) as { readonly version: string }; // of this repository
  const files = createPlugin(version, { port: DEFAULT_HOOKS_PORT, sendsToken: false });
  const entries = await readdir(join(ROOT, PLUGIN_DIRECTORY), { recursive: true, withFileTypes: true });

  for (const [path, content] of Object.entries(files)) {
    expect(await readRepositoryFile(join(PLUGIN_DIRECTORY, path))).toBe(content);
  }
  expect(entries.filter((entry) => entry.isFile())).toHaveLength(Object.keys(files).length);
});

test('the plugin has the hooks that swarmlens hooks print writes', async () => {
  const { stdout } = await runInProcess(['hooks', 'print', 'claude-code'], { cwd: ROOT });

  expect(JSON.parse(await readRepositoryFile(join(PLUGIN_DIRECTORY, 'hooks/hooks.json')))).toMatchObject(
    JSON.parse(stdout) as object, // what the command prints
  );
});

test('hooks are added for no event that takes no HTTP hooks or needs an answer', () => {
  for (const event of ['SessionStart', 'Setup', 'WorktreeCreate']) expect(CLAUDE_CODE_EVENTS).not.toContain(event);
});

test('hooks of Codex are commands that print nothing and always succeed', () => {
  const hooks = createHooks('codex', { port: 4157, sendsToken: true });

  expect(hooks['Stop']).toEqual([
    {
      hooks: [
        {
          type: 'command',
          command:
            'curl -s -o /dev/null -m 2 -H "Authorization: Bearer $SWARMLENS_OBSERVE_TOKEN" --data-binary @- http://127.0.0.1:4157/hooks/codex || true',
          timeout: 4,
        },
      ],
    },
  ]);
});
