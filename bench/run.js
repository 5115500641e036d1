// Delivery side by side, each contender in a process of its own, one at a time: see docs/performance.md.
// Usage: node bench/run.js [--only marginal] [--contenders raw,swarmlens] [--seconds N] [--repeats N]
import { parseArgs } from 'node:util';
import { killChildren } from './commands.js';
import { marginalJobs } from './marginal.js';

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: 'marginal' },
    contenders: { type: 'string', default: 'raw,swarmlens' },
    seconds: { type: 'string', default: '4' },
    repeats: { type: 'string', default: '3' },
  },
});

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    killChildren();
    process.exit(130);
  });
}

const results = {};
const settings = {
  seconds: Number(values.seconds),
  repeats: Number(values.repeats),
  contenders: values.contenders.split(','),
  results,
};
const jobs = marginalJobs(settings);
for (const [index, job] of jobs.entries()) {
  process.stderr.write(`[${index + 1}/${jobs.length}] ${job.title} … `);
  process.stderr.write(`${await job.run()}\n`);
}
console.log('| contender | filters | compressed | CPU µs per further update | × raw | bytes per update |');
console.log('| --- | --- | --- | ---: | ---: | ---: |');
for (const { contender, filters, compressed, marginal, ratio, rounds, extensions } of results.marginal) {
  const agreed = compressed ? (extensions === '' ? 'refused' : 'yes') : 'no';
  const bytes = rounds.at(-1).many.bytesPerUpdate.toFixed(0);
  console.log(
    `| ${contender} | ${filters} | ${agreed} | ${marginal.toFixed(1)} | ${ratio?.toFixed(2) ?? ''} | ${bytes} |`,
  );
}
