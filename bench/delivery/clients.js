// Child process with many subscribers of one server.
import { answerCommands } from '../support/commands.js';
import { Subscriber } from './subscriber.js';

/** Number of subscribers whose latency is measured, evenly distributed. */
const SAMPLED = 20;
const CONNECT_AT_ONCE = 100;

const subscribers = [];
let latenciesMs = [];
let base = { updates: 0, bytes: 0, cpu: process.cpuUsage(), atMs: performance.now() };

answerCommands({
  /** Opens `count` connections, numbered from `from`, and waits for their acknowledgement. */
  async connect({ from, count, total, ...options }) {
    const startMs = performance.now();
    const stride = Math.max(1, Math.floor(total / SAMPLED));
    for (let begin = from; begin < from + count; begin += CONNECT_AT_ONCE) {
      const batch = [];
      for (let index = begin; index < Math.min(begin + CONNECT_AT_ONCE, from + count); index += 1) {
        const sampled = index % stride === 0 || index === total - 1;
        const subscriber = new Subscriber({ ...options, index, sampled, onLatency: (ms) => latenciesMs.push(ms) });
        subscribers.push(subscriber);
        batch.push(subscriber.ready);
      }
      await Promise.all(batch);
    }
    return { extensions: subscribers.at(-1)?.extensions ?? '', ms: performance.now() - startMs };
  },
  /** Subscribes the newest `count` simultaneously. Returns the time until all have an update, in milliseconds. */
  async subscribe({ count }) {
    const startMs = performance.now();
    await Promise.all(subscribers.slice(-count).map((subscriber) => subscriber.subscribe()));
    return { ms: performance.now() - startMs };
  },
  /** Makes the newest `count` stop reading. */
  stall({ count }) {
    for (const subscriber of subscribers.slice(-count)) subscriber.stall();
  },
  /** Disconnects the newest `count`. */
  leave({ count }) {
    for (const subscriber of subscribers.splice(-count)) subscriber.leave();
    base = now();
  },
  /** Starts counting from zero. */
  reset() {
    latenciesMs = [];
    base = now();
  },
  counts() {
    const { updates, bytes, atMs } = now();
    const { user, system } = process.cpuUsage(base.cpu);
    return {
      updates: updates - base.updates,
      bytes: bytes - base.bytes,
      cpuShare: (user + system) / 1000 / (atMs - base.atMs),
      failures: subscribers.flatMap(({ failure }) => (failure === null ? [] : [failure])),
    };
  },
  latencies: () => latenciesMs,
});

function now() {
  let updates = 0;
  let bytes = 0;
  for (const subscriber of subscribers) {
    updates += subscriber.updates;
    bytes += subscriber.bytes;
  }
  return { updates, bytes, cpu: process.cpuUsage(), atMs: performance.now() };
}
