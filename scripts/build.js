// Builds packages/client/dist with tsc, dist/ with tsc, and dist/playground with Vite. Skips each part whose sources have
// not changed, and removes outputs whose source is gone.
// Usage: node scripts/build.js [--only client]
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const cache = join(root, '.cache/build');

const CLIENT_SOURCES = ['packages/client/src', 'packages/client/package.json', 'packages/client/tsconfig.json'];

/** Runs a tool of node_modules. Exits with its exit code if it fails, and passes on signals. */
async function run(module, ...args) {
  const child = spawn(process.execPath, [join(root, 'node_modules', module), ...args], { cwd: root, stdio: 'inherit' });
  let stopSignal = null;
  const stop = (signal) => {
    stopSignal = signal;
    child.kill(signal);
  };
  process.on('SIGINT', stop).on('SIGTERM', stop);
  const [status] = await once(child, 'close');
  process.off('SIGINT', stop).off('SIGTERM', stop);
  if (stopSignal !== null) process.kill(process.pid, stopSignal);
  if (status !== 0) process.exit(status ?? 1);
}

/** Returns paths relative to the root, in a stable order. Empty if `path` does not exist. */
function listFiles(path) {
  if (!existsSync(join(root, path))) return [];
  if (!statSync(join(root, path)).isDirectory()) return [path];
  return readdirSync(join(root, path))
    .sort()
    .flatMap((name) => listFiles(join(path, name)));
}

/**
 * Runs `build` unless it has run for the same contents. Compares contents instead of modification times, because a
 * restored file has an old time.
 */
async function buildIfChanged({ name, label, sources, isComplete, build }) {
  const hash = createHash('sha256').update(process.version);
  for (const file of [...sources, 'package-lock.json', 'scripts/build.js'].flatMap(listFiles)) {
    hash.update(`\0${file}\0`).update(readFileSync(join(root, file)));
  }
  const digest = hash.digest('hex');
  const digestFile = join(cache, name);
  if (isComplete() && existsSync(digestFile) && readFileSync(digestFile, 'utf8') === digest) return;
  // Standard output belongs to the caller: `npm pack --json` prints its result there.
  process.stderr.write(`Building ${label} …\n`);
  rmSync(digestFile, { force: true });
  await build();
  mkdirSync(cache, { recursive: true });
  writeFileSync(digestFile, digest);
}

/** Compiles one TypeScript program. Keeps the files below `output` that the source folder does not explain in `kept`. */
async function compile({ name, label, source, output, sources, project, buildInfo, kept = [] }) {
  const isComplete = () =>
    listFiles(source)
      .filter((file) => file.endsWith('.ts'))
      .flatMap((file) => ['.js', '.d.ts'].map((ending) => output + file.slice(source.length).replace(/\.ts$/, ending)))
      .every((file) => existsSync(join(root, file)));
  await buildIfChanged({
    name,
    label,
    sources: [...sources, 'tsconfig.json'],
    isComplete,
    build: async () => {
      // The compiler skips outputs that it has written before, also if they have been deleted since.
      if (!isComplete()) rmSync(join(root, buildInfo), { force: true });
      await run('typescript/bin/tsc', '-p', project);
    },
  });
  for (const file of listFiles(output)) {
    const path = file.slice(output.length + 1);
    if (kept.some((folder) => path.startsWith(folder))) continue;
    if (!existsSync(join(root, source, path.replace(/(\.d)?\.(js|ts)$/, '.ts')))) rmSync(join(root, file));
  }
}

/** Builds everything, or only the client package. */
export async function build(only = null) {
  await compile({
    name: 'client',
    label: 'the client package',
    source: 'packages/client/src',
    output: 'packages/client/dist',
    sources: CLIENT_SOURCES,
    project: 'packages/client/tsconfig.json',
    buildInfo: '.cache/tsc/client.tsbuildinfo',
  });
  if (only === 'client') return;
  await compile({
    name: 'server',
    label: 'the server',
    source: 'src',
    output: 'dist',
    sources: ['src', ...CLIENT_SOURCES, 'tsconfig.build.json'],
    project: 'tsconfig.build.json',
    buildInfo: '.cache/tsc/build.tsbuildinfo',
    kept: ['playground/'],
  });
  chmodSync(join(root, 'dist/main.js'), 0o755);
  await buildIfChanged({
    name: 'playground',
    label: 'the playground',
    sources: ['playground', ...CLIENT_SOURCES],
    isComplete: () => existsSync(join(root, 'dist/playground/index.html')),
    build: () => run('vite/bin/vite.js', 'build', 'playground', '--logLevel', 'warn'),
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [flag = null, part = null] = process.argv.slice(2);
  if (flag !== null && (flag !== '--only' || part !== 'client')) {
    console.error('Usage: node scripts/build.js [--only client]');
    process.exit(2);
  }
  await build(part);
}
