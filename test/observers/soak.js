// Lets scripted sessions of Claude Code write transcripts while swarmlens observes them (see soak/observe-soak.ts). Checks that memory
// and file descriptors do not grow, that the files contain exactly what was written, and the agents, tasks and tokens in the end.
// Usage: node test/observers/soak.js [--seconds N] [--sessions N] [--seed N]   (default: 3600, 20 and 1; Linux only)
// Exits with 1 if a check fails.
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { runnerImport } from 'vite';

const MIB = 2 ** 20;
/** Share of the samples, and their least number, before memory is compared: code is loaded and compiled, and all subagents start. */
const WARM_UP_SHARE = 0.25;
const MIN_WARM_UP_SAMPLES = 120;
/** Least number of samples that are compared. */
const MIN_SAMPLES = 120;
/** Maximum ratio of memory and open files at the end to those after the warm-up, by linear regression. */
const MAX_RATIO = 1.1;

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '3600' },
    sessions: { type: 'string', default: '20' },
    seed: { type: 'string', default: '1' },
  },
});
const { module } = await runnerImport(fileURLToPath(new URL('soak/observe-soak.ts', import.meta.url)), {
  configFile: false,
  // Node.js 20 has no `using` yet.
  oxc: { target: 'es2022' },
});
const numbers = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, Number(value)]));
const { samples, problems, ...outcome } = await module.runObserveSoak(numbers, (line) => console.error(line));

const steady = samples.slice(Math.max(MIN_WARM_UP_SAMPLES, Math.floor(samples.length * WARM_UP_SHARE)));
const isJudged = steady.length >= MIN_SAMPLES;
const measured = Object.fromEntries(
  ['coreRss', 'coreHeap', 'observerRss', 'coreFiles', 'observerFiles'].map((name) => [
    name,
    trend((isJudged ? steady : samples).map((sample) => sample[name])),
  ]),
);
for (const [name, { ratio }] of Object.entries(measured)) {
  if (isJudged && ratio > MAX_RATIO) problems.push(`${name} has grown ${ratio} times`);
}
console.log(JSON.stringify({ ...outcome, seconds: samples.length, isJudged, measured, problems }));
for (const [name, { start, end, ratio }] of Object.entries(measured)) {
  const [unit, divisor] = name.endsWith('Files') ? ['', 1] : [' MiB', MIB];
  console.log(`${name}: ${(start / divisor).toFixed(1)}${unit} to ${(end / divisor).toFixed(1)}${unit} (${ratio}×)`);
}
console.log(problems.length === 0 ? 'no problem' : `problems:\n${problems.join('\n')}`);
process.exitCode = problems.length === 0 ? 0 : 1;

/** Returns the start and the end of the line that fits values best, and their ratio. */
function trend(values) {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const middle = (values.length - 1) / 2;
  let [covariance, variance] = [0, 0];
  for (const [index, value] of values.entries()) {
    covariance += (index - middle) * (value - mean);
    variance += (index - middle) ** 2;
  }
  const slope = variance === 0 ? 0 : covariance / variance;
  const [start, end] = [mean - slope * middle, mean + slope * middle];
  return { start: Math.round(start), end: Math.round(end), ratio: Math.round((end / start) * 1_000) / 1_000 };
}
