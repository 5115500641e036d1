// Measures the server's memory and the latency of other clients at 60 Hz while one client does not read, minute by minute.
// Usage: node bench/stalled.js [--seconds N]   N: duration after the client has stopped reading (default: 600)
import { parseArgs } from 'node:util';
import { withMeasurement } from './support/measure.js';

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '600' } } });
const seconds = Number(values.seconds);
const SPAN_SECONDS = Math.min(60, seconds);
const READERS = 20;

const load = { agents: 200, changed: 20, hz: 60, filters: 'equal', total: READERS, maxSlowMs: null };
console.log('| seconds stalled | RSS MiB | p50 ms | p99 ms | updates to other clients |');
console.log('| ---: | ---: | ---: | ---: | ---: |');
await withMeasurement({ contender: 'swarmlens', compressed: false, ...load }, async (measurement) => {
  await measurement.connect(READERS);
  await measurement.subscribe(READERS);
  await measurement.run(5);
  print('-', await measurement.run(SPAN_SECONDS));
  await measurement.connect(1);
  await measurement.subscribe(1);
  await measurement.stall(1);
  for (let stalledSeconds = 0; stalledSeconds < seconds; stalledSeconds += SPAN_SECONDS) {
    print(stalledSeconds + SPAN_SECONDS, await measurement.run(SPAN_SECONDS));
  }
});

function print(stalledSeconds, { rss, p50Ms, p99Ms, updates, ticks }) {
  const share = ((updates / (ticks * READERS)) * 100).toFixed(1);
  console.log(
    `| ${stalledSeconds} | ${(rss / 2 ** 20).toFixed(0)} | ${p50Ms.toFixed(1)} | ${p99Ms.toFixed(1)} | ${share} % |`,
  );
}
