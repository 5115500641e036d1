// One client that stops reading beside others at 60 Hz: the server's memory and the others' latency, minute by minute.
// Usage: node bench/stalled.js [--seconds N]   N: after the client has stopped; 600 unless told.
import { parseArgs } from 'node:util';
import { withBout } from './support/measure.js';

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '600' } } });
const seconds = Number(values.seconds);
const SPAN_SECONDS = Math.min(60, seconds);
const READERS = 20;

const load = { agents: 200, changed: 20, hz: 60, filters: 'equal', total: READERS, maxSlowMs: null };
console.log('| stopped for s | RSS MiB | p50 ms | p99 ms | updates to the others |');
console.log('| ---: | ---: | ---: | ---: | ---: |');
await withBout({ contender: 'swarmlens', compressed: false, ...load }, async (bout) => {
  await bout.connect(READERS);
  await bout.subscribe(READERS);
  await bout.run(5);
  print('-', await bout.run(SPAN_SECONDS));
  await bout.connect(1);
  await bout.subscribe(1);
  await bout.stall(1);
  for (let stopped = 0; stopped < seconds; stopped += SPAN_SECONDS) {
    print(stopped + SPAN_SECONDS, await bout.run(SPAN_SECONDS));
  }
});

function print(stopped, { rss, p50Ms, p99Ms, updates, ticks }) {
  const share = ((updates / (ticks * READERS)) * 100).toFixed(1);
  console.log(
    `| ${stopped} | ${(rss / 2 ** 20).toFixed(0)} | ${p50Ms.toFixed(1)} | ${p99Ms.toFixed(1)} | ${share} % |`,
  );
}
