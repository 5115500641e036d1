// Installs the real MCP servers and coding agents beside this file and runs the tests against them.
// Usage: node test/real/run.js [ruv-swarm|claude-flow|server-everything|tap|mapped-servers|claude-code|codex] [options of vitest]
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const SUITES = ['ruv-swarm', 'claude-flow', 'server-everything', 'tap', 'mapped-servers', 'claude-code', 'codex'];
/** Suites whose programs are in folders of their own. */
const OWN_FOLDERS = {
  'claude-flow': ['claude-flow', 'claude-flow-2', 'ruflo'],
  'mapped-servers': ['mapped'],
  'claude-code': ['claude-code', 'claude-code-2.1.197', 'claude-flow'],
  codex: ['codex'],
};
const [first, ...rest] = process.argv.slice(2);
const one = SUITES.includes(first ?? '');
const options = one ? rest : process.argv.slice(2);
const here = fileURLToPath(new URL('.', import.meta.url));
const root = fileURLToPath(new URL('../..', import.meta.url));

/** Runs a command, and exits with its exit code when it fails. */
function run(command, args, cwd) {
  const { status, error } = spawnSync(command, args, { cwd, stdio: 'inherit' });
  if (error !== undefined) console.error(`${command} could not be started: ${error.message}`);
  if (status !== 0) process.exit(status ?? 1);
}

const install = ['install', '--no-package-lock', '--no-audit', '--no-fund', '--loglevel=error'];
const folders = one ? (OWN_FOLDERS[first] ?? []) : readdirSync(`${here}servers`);
if (!one || folders.length === 0) run('npm', install, here);
for (const server of folders) run('npm', [...install, '--ignore-scripts'], `${here}servers/${server}`);
run(process.execPath, ['scripts/build.js'], root);
const suite = one ? [`test/real/${first}`] : [];
run(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', '--project', 'real', ...suite, ...options], root);
