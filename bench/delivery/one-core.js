// Runs the server on one core and the clients on another: 60 Hz, 500 subscribers, about 5 KB per update.
import { availableParallelism } from 'node:os';
import { canPin } from '../support/commands.js';
import { withMeasurement } from '../support/measure.js';

const SUBSCRIBERS = 500;

export function oneCoreJobs({ repeats, seconds, contenders, results }) {
  const pinned = canPin && availableParallelism() > 1;
  const kinds = [
    { contender: 'raw', compressed: false },
    { contender: 'swarmlens', compressed: false },
    { contender: 'swarmlens', compressed: true },
    { contender: 'yoga', compressed: false, once: true },
    { contender: 'mercurius', compressed: false, once: true },
  ];
  const rows = kinds
    .filter(({ contender }) => contenders.includes(contender))
    .map((kind) => ({ ...kind, pinned, rounds: [] }));
  results.oneCore = rows;
  return Array.from({ length: repeats }, (_, round) =>
    rows
      .filter(({ once }) => !once || round === 0)
      .map((row) => ({
        title: `one core ${round + 1}/${repeats}: ${row.contender}${row.compressed ? ', compressed' : ''}`,
        seconds: seconds + 5,
        async run() {
          const result = await measure(row, seconds, pinned);
          row.rounds.push(result);
          const delivered = ((result.updates / result.due) * 100).toFixed(1);
          return `${delivered} % delivered, p99 ${result.p99Ms?.toFixed(1)} ms`;
        },
      })),
  ).flat();
}

function measure({ contender, compressed }, seconds, pinned) {
  const cores = pinned ? { serverCore: 0, clientCore: 1 } : {};
  const load = { agents: 200, changed: 20, hz: 60, filters: 'equal', total: SUBSCRIBERS };
  return withMeasurement({ contender, compressed, ...load, ...cores }, async (measurement) => {
    await measurement.connect(SUBSCRIBERS);
    await measurement.subscribe(SUBSCRIBERS);
    await measurement.run(2);
    return { ...(await measurement.run(seconds)), extensions: measurement.extensions };
  });
}
