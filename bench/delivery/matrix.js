// Compares all servers under different loads.
import { withMeasurement } from '../support/measure.js';

const SMALL = 1;
const LARGE = 100;

const DEFAULT_CASES = [
  ['equal', false, 10, 100, SMALL],
  ['equal', false, 10, 100, LARGE],
  ['equal', false, 10, 1_000, SMALL],
  ['equal', false, 10, 1_000, LARGE],
  ['equal', false, 60, 100, SMALL],
  ['equal', false, 60, 100, LARGE],
  ['equal', false, 60, 1_000, SMALL],
  ['equal', true, 10, 1_000, SMALL],
  ['equal', true, 10, 100, LARGE],
  ['equal', true, 10, 1_000, LARGE],
  ['equal', true, 60, 100, LARGE],
  ['distinct', false, 10, 100, LARGE],
  ['distinct', false, 10, 1_000, SMALL],
  ['distinct', false, 10, 1_000, LARGE],
  ['distinct', false, 60, 100, LARGE],
  ['distinct', true, 10, 100, LARGE],
].map(toCase);

function toCase([filters, compressed, hz, subscribers, changed]) {
  return { filters, compressed, hz, subscribers, changed };
}

function allCases() {
  const cases = [];
  for (const filters of ['equal', 'distinct'])
    for (const compressed of [false, true])
      for (const hz of [10, 60])
        for (const subscribers of [100, 1_000])
          for (const changed of [SMALL, LARGE]) cases.push({ filters, compressed, hz, subscribers, changed });
  return cases;
}

export function matrixJobs({ full, seconds, contenders, results }) {
  results.matrix = [];
  return (full ? allCases() : DEFAULT_CASES).flatMap((load) => {
    const found = {};
    return contenders.map((contender) => ({
      title: `${contender}: ${describe(load)}`,
      seconds: 1 + seconds + (load.subscribers >= 1_000 ? 3.5 : 1.5),
      async run() {
        const row = { ...load, contender };
        results.matrix.push(row);
        try {
          Object.assign(row, await measure(contender, load, seconds));
        } catch (error) {
          row.failure = error.message;
          throw error;
        }
        found[contender] = row;
        row.ratio = found.raw === undefined ? null : row.cpuMicrosPerUpdate / found.raw.cpuMicrosPerUpdate;
        return `${row.cpuMicrosPerUpdate.toFixed(1)} µs per update`;
      },
    }));
  });
}

function describe({ filters, compressed, hz, subscribers, changed }) {
  return `${filters}${compressed ? ', compressed' : ''}, ${hz} Hz, ${subscribers} subscribers, ${changed} changed`;
}

function measure(contender, { subscribers, ...load }, seconds) {
  return withMeasurement({ contender, ...load, agents: 200, total: subscribers }, async (measurement) => {
    const before = await measurement.memory();
    await measurement.connect(subscribers);
    await measurement.subscribe(subscribers);
    await measurement.run(1);
    const counts = await measurement.run(seconds);
    const after = await measurement.memory();
    return {
      ...counts,
      extensions: measurement.extensions,
      // With fewer connections, the code loaded for the first ones would dominate.
      kilobytesPerConnection: subscribers < 1_000 ? null : (after.rss - before.rss) / subscribers / 1000,
    };
  });
}
