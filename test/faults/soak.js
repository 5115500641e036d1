// Runs random faults on three servers, then compares the final states (see random/run.ts).
// Usage: node test/faults/soak.js [--seconds N] [--seed N]   (default: 600 and 1). Exits with 1 if a check fails.
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { runnerImport } from 'vite';

const MIB = 2 ** 20;
/** Samples before the first compared minute, in which code is loaded and compiled. */
const WARM_UP_SAMPLES = 60;
const MINUTE_SAMPLES = 60;
/** Maximum ratio of the memory in the last minute to the first. */
const MAX_RATIO = 1.2;

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '600' }, seed: { type: 'string', default: '1' } },
});
const { module } = await runnerImport(fileURLToPath(new URL('random/run.ts', import.meta.url)), {
  configFile: false,
  // Node.js 20 has no `using` yet.
  oxc: { target: 'es2022' },
});
const startMs = performance.now();
const tell = (line) => process.stderr.write(`${((performance.now() - startMs) / 1_000).toFixed(1)} s  ${line}\n`);
const { memory, problems, ...outcome } = await module.runRandomFaults(
  { seconds: Number(values.seconds), seed: Number(values.seed) },
  tell,
);

const isLongEnough = memory.length >= WARM_UP_SAMPLES + 2 * MINUTE_SAMPLES;
const spans = isLongEnough
  ? [memory.slice(WARM_UP_SAMPLES, WARM_UP_SAMPLES + MINUTE_SAMPLES), memory.slice(-MINUTE_SAMPLES)]
  : [memory.slice(0, memory.length / 2), memory.slice(memory.length / 2)];
const [first, last] = spans.map((span) => ({
  rssMiB: median(span.map(({ rss }) => rss / MIB)),
  heapMiB: median(span.map(({ heapUsed }) => heapUsed / MIB)),
}));
const ratios = { rss: round(last.rssMiB / first.rssMiB), heap: round(last.heapMiB / first.heapMiB) };
if (isLongEnough && Math.max(ratios.rss, ratios.heap) > MAX_RATIO) {
  problems.push(`memory has grown: ${JSON.stringify(ratios)}`);
}
console.log(JSON.stringify({ ...outcome, memory: { first, last, ratios, isJudged: isLongEnough }, problems }));
console.log(summary());
process.exitCode = problems.length === 0 ? 0 : 1;

function summary() {
  const { faults, incarnations, updates, resumes, healedMs } = outcome;
  const happened = Object.values(faults).reduce((sum, count) => sum + count, 0);
  return [
    `${happened} faults of ${Object.keys(faults).length} kinds, ${incarnations} server processes, ${updates} updates, ${resumes} resumes`,
    `memory ${first.rssMiB} MiB at first, ${last.rssMiB} MiB at last (${ratios.rss}×); heap ${ratios.heap}×`,
    healedMs === null ? 'not recovered' : `recovered after ${(healedMs / 1_000).toFixed(1)} s`,
    problems.length === 0 ? 'no problem' : `problems:\n${problems.join('\n')}`,
  ].join('\n');
}

function median(values) {
  return round(values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0);
}

function round(value) {
  return Math.round(value * 100) / 100;
}
