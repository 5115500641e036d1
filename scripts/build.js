// Builds dist/: the program with tsc, the playground with Vite. What was made of the same sources is kept; files whose
// source is gone are removed.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const cache = join(root, '.cache/build');
const dist = join(root, 'dist');

/** Ends this program with the command's exit code when it fails. */
function run(module, ...args) {
  const { status } = spawnSync(process.execPath, [join(root, 'node_modules', module), ...args], {
    cwd: root,
    stdio: 'inherit',
  });
  if (status !== 0) process.exit(status ?? 1);
}

/** Paths relative to the root, in a stable order; none when there is nothing. */
function filesAt(path) {
  if (!existsSync(join(root, path))) return [];
  if (!statSync(join(root, path)).isDirectory()) return [path];
  return readdirSync(join(root, path))
    .sort()
    .flatMap((name) => filesAt(join(path, name)));
}

/**
 * Runs `build` unless it has been run for the same contents. Contents and not dates: those come back with a file that
 * is restored.
 */
function buildOnce(name, sources, isComplete, build) {
  const hash = createHash('sha256').update(process.version);
  for (const file of [...sources, 'package-lock.json', 'scripts/build.js'].flatMap(filesAt)) {
    hash.update(`\0${file}\0`).update(readFileSync(join(root, file)));
  }
  const made = hash.digest('hex');
  const remembered = join(cache, name);
  if (isComplete() && existsSync(remembered) && readFileSync(remembered, 'utf8') === made) return;
  rmSync(remembered, { force: true });
  build();
  mkdirSync(cache, { recursive: true });
  writeFileSync(remembered, made);
}

function isProgramComplete() {
  return filesAt('src')
    .filter((file) => file.endsWith('.ts'))
    .flatMap((file) => ['.js', '.d.ts'].map((ending) => file.replace(/^src/, 'dist').replace(/\.ts$/, ending)))
    .every((output) => existsSync(join(root, output)));
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

buildOnce('program', ['src', 'tsconfig.json', 'tsconfig.build.json'], isProgramComplete, () => {
  // Without all of its output, what the compiler remembers of it is wrong.
  if (!isProgramComplete()) rmSync(join(root, '.cache/tsc/build.tsbuildinfo'), { force: true });
  run('typescript/bin/tsc', '-p', 'tsconfig.build.json');
  chmodSync(join(dist, 'main.js'), 0o755);
});
removeOrphans();

if (existsSync(join(root, 'playground/vite.config.ts'))) {
  const isComplete = () => existsSync(join(dist, 'playground/index.html'));
  buildOnce('playground', ['playground', 'src/client'], isComplete, () => {
    run('vite/bin/vite.js', 'build', 'playground', '--logLevel', 'warn');
  });
}
