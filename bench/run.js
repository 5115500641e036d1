// Compares the delivery of several servers, each in its own process, one at a time. See docs/performance.md.
// Usage: node bench/run.js [--full] [--only CASES] [--contenders NAMES] [--seconds N] [--repeats N]
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release, type } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { accessJobs } from './delivery/access.js';
import { killChildren } from './support/commands.js';
import { growthJobs } from './delivery/growth.js';
import { joiningJobs } from './delivery/join-storm.js';
import { marginalJobs } from './delivery/marginal.js';
import { matrixJobs } from './delivery/matrix.js';
import { memoryJobs } from './delivery/memory.js';
import { oneCoreJobs } from './delivery/one-core.js';
import { markdown } from './report.js';

const CASES = {
  marginal: marginalJobs,
  core: oneCoreJobs,
  joining: joiningJobs,
  growth: growthJobs,
  memory: memoryJobs,
  access: accessJobs,
  matrix: matrixJobs,
};
const CONTENDERS = ['raw', 'yoga', 'mercurius', 'swarmlens'];

const { values } = parseArgs({
  options: {
    full: { type: 'boolean', default: false },
    only: { type: 'string', default: Object.keys(CASES).join() },
    contenders: { type: 'string', default: CONTENDERS.join() },
    seconds: { type: 'string', default: '3' },
    repeats: { type: 'string', default: '3' },
  },
});

const results = {};
const failures = [];
const settings = {
  full: values.full,
  seconds: readNumber('seconds'),
  repeats: readNumber('repeats'),
  contenders: readNames('contenders', CONTENDERS),
  results,
};
const startMs = performance.now();
const machine = {
  date: new Date().toISOString(),
  cpu: cpus()[0]?.model ?? 'unknown',
  cpus: cpus().length,
  node: process.versions.node,
  system: `${type()} ${release()}`,
  commit: readCommit(),
  loadAverage: loadavg()[0],
};

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    killChildren();
    process.stderr.write('\nstopped\n');
    report();
    process.exit(130);
  });
}
process.on('exit', killChildren);

const jobs = readNames('only', Object.keys(CASES)).flatMap((name) => CASES[name](settings));
const planned = jobs.reduce((sum, { seconds }) => sum + seconds, 0);
let completed = 0;
for (const [index, job] of jobs.entries()) {
  const elapsed = (performance.now() - startMs) / 1000;
  const pace = completed === 0 ? 1 : elapsed / completed;
  const remaining = minutes((planned - completed) * pace);
  process.stderr.write(`[${index + 1}/${jobs.length}, ${remaining} remaining] ${job.title} … `);
  try {
    process.stderr.write(`${await job.run()}\n`);
  } catch (error) {
    failures.push({ title: job.title, message: error.message });
    process.stderr.write(`failed: ${error.message}\n`);
  }
  completed += job.seconds;
}
report();

function report() {
  const folder = fileURLToPath(new URL('results/', import.meta.url));
  const name = machine.date.replace(/[:.]/g, '-');
  const text = markdown({ machine, results, failures });
  const seconds = Math.round((performance.now() - startMs) / 1000);
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, `${name}.json`),
    JSON.stringify({ machine, options: values, seconds, results, failures }, null, 1),
  );
  writeFileSync(join(folder, `${name}.md`), `${text}\n`);
  console.log(`\n${text}\n`);
  process.stderr.write(`${minutes(seconds)} min; ${relative('.', join(folder, `${name}.json`))}\n`);
}

function readNumber(option) {
  const value = Number(values[option]);
  if (value > 0) return value;
  process.stderr.write(`--${option} must be a number above 0.\n`);
  process.exit(2);
}

function readNames(option, known) {
  const names = values[option].split(',');
  const unknown = names.find((name) => !known.includes(name));
  if (unknown === undefined) return known.filter((name) => names.includes(name));
  process.stderr.write(`Unknown value "${unknown}" of --${option}. Known values: ${known.join(', ')}.\n`);
  process.exit(2);
}

function minutes(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}

function readCommit() {
  const { status, stdout } = spawnSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : null;
}
