// Measures what signatures add to a bus message: CPU time to write and to read it, and to update the sum of a snapshot.
// Usage: node bench/cluster/signatures.js   (after npm run build)
import { performance } from 'node:perf_hooks';
import { EnvelopeReader, EnvelopeWriter } from '../../dist/cluster/redis/envelope.js';
import { RedisTime } from '../../dist/cluster/redis/redis-time.js';
import { Seal } from '../../dist/cluster/redis/seal.js';
import { systemClock } from '../../dist/shared/index.js';

const KEY = 'k'.repeat(44);
const CHANNEL = 'swarmlens:{sim}:changes';
const MESSAGES = 3_000;
const ROUNDS = 9;

const time = new RedisTime(systemClock);
const agentPatch = (index) => [
  `agent-${index}`,
  { status: 'ACTIVE', performance: { cpuUsage: index / 7, tasksActive: index } },
];

/** Returns the shortest time of one of `count` calls in microseconds, over all rounds. */
function measure(count, prepare) {
  let best = Infinity;
  for (let round = 0; round < ROUNDS; round += 1) {
    const call = prepare();
    const startMs = performance.now();
    for (let index = 0; index < count; index += 1) call(index);
    best = Math.min(best, ((performance.now() - startMs) * 1_000) / count);
  }
  return best;
}

function measureEnvelope(keys, body) {
  const deps = () => ({ nodeId: 'sender', seal: new Seal(keys), time });
  const write = measure(MESSAGES, () => {
    const writer = new EnvelopeWriter(deps());
    return () => writer.write(CHANNEL, body);
  });
  const read = measure(MESSAGES, () => {
    const writer = new EnvelopeWriter(deps());
    const texts = Array.from({ length: MESSAGES }, () => writer.write(CHANNEL, body));
    const reader = new EnvelopeReader(deps());
    return (index) => reader.read(CHANNEL, texts[index]);
  });
  return { write, read };
}

for (const agents of [10, 100]) {
  const patches = Array.from({ length: agents }, (_, index) => agentPatch(index));
  const body = [1_795_446_110_463, 1_000, 1_795_446_110_463, { t: '2026-11-23T15:00:00.000Z', p: patches }];
  const [unsigned, signed] = [[], [KEY]].map((keys) => measureEnvelope(keys, body));
  const added = (part) => (signed[part] - unsigned[part]).toFixed(1);
  console.log(
    `message of ${JSON.stringify(body).length} bytes: ${added('write')} µs to sign, ${added('read')} µs to verify`,
  );
}

const sum = new Seal([KEY]).createSum();
const value = 'x'.repeat(400);
const fields = Array.from({ length: 10 }, (_, index) => [`a:x:${index}`, value]);
let best = Infinity;
for (let round = 0; round < 1_000; round += 1) {
  const startMs = performance.now();
  const changed = await sum.changed(fields, []);
  changed.apply();
  best = Math.min(best, (performance.now() - startMs) * 1_000);
}
console.log(`snapshot with 10 changed agents of 400 bytes: ${best.toFixed(1)} µs`);
