// The goals' case: 200 agents, 20 of them change with each tick. What 240 more subscribers cost, less what there is
// to do without them: changing the picture, finding what changed, one execution.
import { withBout } from '../support/measure.js';
import { median } from '../support/statistics.js';

const MANY = 300;
const FEW = 60;
const WARM_SECONDS = 2;

/** `repeats` rounds over these in this order, so that a slow minute of the machine falls on all of them. */
export const MARGINAL_CASES = [
  { contender: 'raw', filters: 'equal', compressed: false },
  { contender: 'swarmlens', filters: 'equal', compressed: false },
  { contender: 'swarmlens', filters: 'equal', compressed: true },
  { contender: 'swarmlens', filters: 'distinct', compressed: false },
  { contender: 'swarmlens', filters: 'distinct', compressed: true },
  { contender: 'swarmlens', filters: 'subsets', compressed: false },
  // Once is enough for what is many times as dear.
  { contender: 'raw', filters: 'equal', compressed: true, once: true },
  { contender: 'yoga', filters: 'equal', compressed: false, once: true },
  { contender: 'yoga', filters: 'distinct', compressed: false, once: true },
  { contender: 'mercurius', filters: 'equal', compressed: false, once: true },
  { contender: 'mercurius', filters: 'distinct', compressed: false, once: true },
];

export function marginalJobs({ repeats, seconds, contenders, results }) {
  const rows = MARGINAL_CASES.filter(({ contender }) => contenders.includes(contender)).map((one) => ({
    ...one,
    rounds: [],
  }));
  results.marginal = rows;
  return Array.from({ length: repeats }, (_, round) =>
    rows
      .filter(({ once }) => !once || round === 0)
      .map((row) => ({
        title: `marginal ${round + 1}/${repeats}: ${row.contender}, ${row.filters}${row.compressed ? ', compressed' : ''}`,
        seconds: WARM_SECONDS + 2 * seconds + 3,
        async run() {
          const one = await measure(row, seconds);
          row.extensions = one.extensions;
          row.rounds.push(one);
          row.marginal = median(row.rounds.map(({ marginal }) => marginal));
          const raw = rows.find(({ contender, compressed }) => contender === 'raw' && !compressed)?.rounds[round];
          // A round in which the floor came out below nothing says that the machine was at something else.
          if (raw !== undefined && raw.marginal > 0) one.ratio = one.marginal / raw.marginal;
          const ratios = row.rounds.flatMap(({ ratio }) => (ratio === undefined ? [] : [ratio]));
          row.ratio = ratios.length === 0 ? null : median(ratios);
          return `${one.marginal.toFixed(1)} µs an update${one.ratio === undefined ? '' : `, ${one.ratio.toFixed(2)} × raw`}`;
        },
      })),
  ).flat();
}

function measure({ contender, filters, compressed }, seconds) {
  const changed = filters === 'subsets' ? 40 : 20;
  return withBout({ contender, filters, compressed, agents: 200, changed, hz: 60, total: MANY }, async (bout) => {
    await bout.connect(MANY);
    await bout.subscribe(MANY);
    await bout.run(WARM_SECONDS);
    const many = await bout.run(seconds);
    await bout.leave(MANY - FEW);
    const few = await bout.run(seconds);
    const marginal = (many.cpuMicros - few.cpuMicros) / (many.updates - few.updates);
    return { marginal, many, few, extensions: bout.extensions };
  });
}
