// Writes the plugin for Claude Code. Needs a build.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { createPlugin, DEFAULT_HOOKS_PORT, PLUGIN_DIRECTORY } from '../dist/hooks/index.js';

const root = new URL('..', import.meta.url);
const { version } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8'));
const files = createPlugin(version, { port: DEFAULT_HOOKS_PORT, sendsToken: false });
for (const [path, content] of Object.entries(files)) {
  const file = new URL(`${PLUGIN_DIRECTORY}/${path}`, root);
  mkdirSync(dirname(file.pathname), { recursive: true });
  writeFileSync(file, content);
}
