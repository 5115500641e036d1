// Measures the resident memory of the server per connection: idle, subscribed, and while it sends ten updates per second. A
// snapshot is as large as an update, so that snapshots do not distort the result. A few clients connect before, so that the
// code loaded for the first ones does not count. Collects garbage before each sample except while sending.
import { withMeasurement } from '../support/measure.js';

const CONNECTIONS = 2_000;
const WARM = 10;

export function memoryJobs({ contenders, results }) {
  results.memory = [];
  return contenders
    .flatMap((contender) => [false, true].map((compressed) => ({ contender, compressed })))
    .map((kind) => ({
      title: `memory: ${kind.contender}${kind.compressed ? ', compressed' : ''}`,
      seconds: 9,
      async run() {
        const row = { ...kind, ...(await measure(kind)) };
        results.memory.push(row);
        return `${row.idleKB.toFixed(0)} KB idle, ${row.subscribedKB.toFixed(0)} KB subscribed`;
      },
    }));
}

function measure(kind) {
  const load = { agents: 20, changed: 20, hz: 10, filters: 'equal', total: CONNECTIONS };
  return withMeasurement({ ...kind, ...load }, async (measurement) => {
    await measurement.connect(WARM);
    await measurement.subscribe(WARM);
    await measurement.run(2);
    await measurement.leave(WARM);
    const none = await measurement.memory();
    await measurement.connect(CONNECTIONS);
    const idle = await measurement.memory();
    await measurement.subscribe(CONNECTIONS);
    const { rss } = await measurement.run(3);
    const subscribed = await measurement.memory();
    const each = (bytes, before) => (bytes - before) / CONNECTIONS / 1000;
    return {
      extensions: measurement.extensions,
      idleKB: each(idle.rss, none.rss),
      subscribedKB: each(subscribed.rss, none.rss),
      sendingKB: each(rss, none.rss),
      subscribedHeapKB: each(subscribed.heap, none.heap),
    };
  });
}
