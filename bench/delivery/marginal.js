// Measures the cost of 240 additional subscribers, without the fixed costs: changing agents, finding changes, one execution.
// 200 agents, of which 20 change with each tick.
import { withMeasurement } from '../support/measure.js';
import { median } from '../support/statistics.js';

const MANY = 300;
const FEW = 60;
const WARM_SECONDS = 2;

/** Cases of each round, in this order. Each round runs all of them, so that a slow period affects all. */
export const MARGINAL_CASES = [
  { contender: 'raw', filters: 'equal', compressed: false },
  { contender: 'swarmlens', filters: 'equal', compressed: false },
  { contender: 'swarmlens', filters: 'equal', compressed: true },
  { contender: 'swarmlens', filters: 'distinct', compressed: false },
  { contender: 'swarmlens', filters: 'distinct', compressed: true },
  { contender: 'swarmlens', filters: 'subsets', compressed: false },
  // These cost many times as much, so that one round is enough.
  { contender: 'raw', filters: 'equal', compressed: true, once: true },
  { contender: 'yoga', filters: 'equal', compressed: false, once: true },
  { contender: 'yoga', filters: 'distinct', compressed: false, once: true },
  { contender: 'mercurius', filters: 'equal', compressed: false, once: true },
  { contender: 'mercurius', filters: 'distinct', compressed: false, once: true },
];

export function marginalJobs({ repeats, seconds, contenders, results }) {
  const rows = MARGINAL_CASES.filter(({ contender }) => contenders.includes(contender)).map((entry) => ({
    ...entry,
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
          const result = await measure(row, seconds);
          row.extensions = result.extensions;
          row.rounds.push(result);
          row.marginal = median(row.rounds.map(({ marginal }) => marginal));
          const raw = rows.find(({ contender, compressed }) => contender === 'raw' && !compressed)?.rounds[round];
          // A negative cost of `raw` means that other work disturbed the round.
          if (raw !== undefined && raw.marginal > 0) result.ratio = result.marginal / raw.marginal;
          const ratios = row.rounds.flatMap(({ ratio }) => (ratio === undefined ? [] : [ratio]));
          row.ratio = ratios.length === 0 ? null : median(ratios);
          return `${result.marginal.toFixed(1)} µs per update${result.ratio === undefined ? '' : `, ${result.ratio.toFixed(2)} × raw`}`;
        },
      })),
  ).flat();
}

function measure({ contender, filters, compressed }, seconds) {
  const changed = filters === 'subsets' ? 40 : 20;
  return withMeasurement(
    { contender, filters, compressed, agents: 200, changed, hz: 60, total: MANY },
    async (measurement) => {
      await measurement.connect(MANY);
      await measurement.subscribe(MANY);
      await measurement.run(WARM_SECONDS);
      const many = await measurement.run(seconds);
      await measurement.leave(MANY - FEW);
      const few = await measurement.run(seconds);
      const marginal = (many.cpuMicros - few.cpuMicros) / (many.updates - few.updates);
      return { marginal, many, few, extensions: measurement.extensions };
    },
  );
}
