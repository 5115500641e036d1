// Builds dist/: the program with tsc, the playground with Vite. Files whose source is gone are removed.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = join(root, 'dist');

/** Ends this program with the command's exit code when it fails. */
function run(module, ...args) {
  const { status } = spawnSync(process.execPath, [join(root, 'node_modules', module), ...args], {
    cwd: root,
    stdio: 'inherit',
  });
  if (status !== 0) process.exit(status ?? 1);
}

function removeOrphans(directory = '') {
  for (const entry of readdirSync(join(dist, directory), { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (path === 'playground') continue;
    if (entry.isDirectory()) {
      if (existsSync(join(root, 'src', path))) removeOrphans(path);
      else rmSync(join(dist, path), { recursive: true });
    } else if (!existsSync(join(root, 'src', path.replace(/(\.d)?\.(js|ts)$/, '.ts')))) {
      rmSync(join(dist, path));
    }
  }
}

// Without its output, what the compiler remembers of it is wrong.
if (!existsSync(dist)) rmSync(join(root, '.cache/tsc/build.tsbuildinfo'), { force: true });
run('typescript/bin/tsc', '-p', 'tsconfig.build.json');
removeOrphans();
chmodSync(join(dist, 'main.js'), 0o755);
if (existsSync(join(root, 'playground/vite.config.ts'))) {
  run('vite/bin/vite.js', 'build', 'playground', '--logLevel', 'warn');
}
