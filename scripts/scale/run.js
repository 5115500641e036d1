// Discrete-event simulation of changes on their way from Redis to a client. Each thread and core processes one item at a time.

const SECONDS = 20;
const SEED = 1;

/**
 * Simulates all changes up to one client of one node.
 * @returns p50 and p99 of the latency from the change to the client, in milliseconds
 */
export function simulate(options) {
  const { constants, changesPerSecond, readers, redisThreads, levels, fanOut, hopMs, clients, hz } = options;
  const random = createRandom(SEED);
  const redis = Array.from({ length: redisThreads }, () => new Processor());
  const relays = Array.from({ length: levels }, () => new Processor());
  const arrivals = [];
  for (const { atMs, server } of createChanges(SECONDS, changesPerSecond, random)) {
    const thread = redis[server % redisThreads];
    const startMs = thread.start(atMs, (constants.redisChangeMicros + readers * constants.redisHandOutMicros) / 1e3);
    // Redis delivers to its readers one after the other.
    let arrivalMs =
      startMs + (constants.redisChangeMicros + random() * readers * constants.redisHandOutMicros) / 1e3 + hopMs;
    for (const relay of relays) {
      const relayedMs = relay.start(arrivalMs, (constants.followMicros + fanOut * constants.deliverMicros) / 1e3);
      arrivalMs = relayedMs + (constants.followMicros + random() * fanOut * constants.deliverMicros) / 1e3 + hopMs;
    }
    arrivals.push({ atMs, arrivalMs });
  }
  return quantiles(
    deliver(
      arrivals.sort((a, b) => a.arrivalMs - b.arrivalMs),
      { constants, clients, hz, hopMs, random },
    ),
  );
}

/**
 * Returns the latency of each change. The node applies changes on arrival. It delivers them immediately if the last tick
 * is at least one period ago, and at the next tick otherwise, to one client after the other.
 */
function deliver(arrivals, { constants, clients, hz, hopMs, random }) {
  const node = new Processor();
  const latencies = [];
  let waiting = [];
  let lastMs = -Infinity;
  let dueMs = Infinity;
  const tick = () => {
    const startMs = node.start(dueMs, (clients * constants.deliverMicros) / 1e3);
    for (const atMs of waiting) {
      latencies.push(startMs + (random() * clients * constants.deliverMicros) / 1e3 + hopMs - atMs);
    }
    waiting = [];
    lastMs = dueMs;
    dueMs = Infinity;
  };
  for (const { atMs, arrivalMs } of arrivals) {
    if (dueMs < arrivalMs) tick();
    const applied = node.start(arrivalMs, constants.followMicros / 1e3) + constants.followMicros / 1e3;
    if (dueMs < applied) tick();
    if (waiting.length === 0) dueMs = Math.max(applied, lastMs + 1_000 / hz);
    waiting.push(atMs);
  }
  if (waiting.length > 0) tick();
  return latencies;
}

/** Processor that handles one item at a time. */
class Processor {
  #freeAtMs = 0;

  /** Returns the time at which the processor starts an item that arrives at `atMs`. */
  start(atMs, forMs) {
    const startMs = Math.max(atMs, this.#freeAtMs);
    this.#freeAtMs = startMs + forMs;
    return startMs;
  }
}

/** Returns changes at random times in chronological order. The servers do not change at the same moment. */
function createChanges(seconds, perSecond, random) {
  const all = Array.from({ length: Math.round(seconds * perSecond) }, (_, index) => ({
    atMs: random() * seconds * 1_000,
    server: index,
  }));
  return all.sort((a, b) => a.atMs - b.atMs);
}

function quantiles(latencies) {
  const sorted = latencies.sort((a, b) => a - b);
  const at = (share) => sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? null;
  return { p50Ms: at(0.5), p99Ms: at(0.99) };
}

/** Returns a pseudorandom generator (mulberry32) that gives the same numbers for the same seed. */
function createRandom(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
