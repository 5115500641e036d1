// Starts 1,000 subscriptions to the same operation simultaneously, on open connections, while agents change. Runs twice in the
// same server, which has not seen the operation before the first time.
import { withMeasurement } from '../support/measure.js';

const SUBSCRIBERS = 1_000;

export function joiningJobs({ contenders, results }) {
  results.joining = [];
  const kinds = [
    ...contenders.map((contender) => ({ contender, filters: 'equal' })),
    ...contenders.filter((contender) => contender !== 'raw').map((contender) => ({ contender, filters: 'distinct' })),
  ];
  return kinds.map((kind) => ({
    title: `joining: ${kind.contender}, ${kind.filters}`,
    seconds: kind.filters === 'equal' ? 4 : 7,
    async run() {
      const load = { agents: 200, changed: 20, hz: 10, compressed: false, total: SUBSCRIBERS };
      const row = await withMeasurement({ ...kind, ...load }, async (measurement) => {
        const connectMs = await measurement.connect(SUBSCRIBERS);
        const firstMs = await measurement.join(SUBSCRIBERS);
        await measurement.leave(SUBSCRIBERS);
        await measurement.connect(SUBSCRIBERS);
        return { ...kind, connectMs, firstMs, againMs: await measurement.join(SUBSCRIBERS) };
      });
      results.joining.push(row);
      return `${row.firstMs.toFixed(0)} ms, second time ${row.againMs.toFixed(0)} ms`;
    },
  }));
}
