// Random faults over three servers for a while, then a comparison of everything: see random/run.ts.
// Usage: node test/faults/soak.js [--seconds N] [--seed N]   600 and 1 unless told. Ends with 1 when anything is wrong.
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { runnerImport } from 'vite';

const MIB = 2 ** 20;
/** Before the first of the minutes that are compared: code is loaded and compiled meanwhile. */
const WARM_UP_SAMPLES = 60;
const MINUTE_SAMPLES = 60;
/** Last minute against first: more is growth. */
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
    healedMs === null ? 'never whole again' : `whole again after ${(healedMs / 1_000).toFixed(1)} s`,
    problems.length === 0 ? 'no problem' : `problems:\n${problems.join('\n')}`,
  ].join('\n');
}

function median(values) {
  return round(values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0);
}

function round(value) {
  return Math.round(value * 100) / 100;
}
