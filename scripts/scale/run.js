// A change on its way from Redis to a client, event by event: each thread and core does one thing after the other.

const SECONDS = 20;
const SEED = 1;

/**
 * Follows all changes to one client of one node.
 * @returns p50 and p99 from the change to the client, milliseconds
 */
export function simulate(options) {
  const { constants, changesPerSecond, readers, redisThreads, levels, fanOut, hopMs, clients, hz } = options;
  const random = randomOf(SEED);
  const redis = Array.from({ length: redisThreads }, () => new Processor());
  const relays = Array.from({ length: levels }, () => new Processor());
  const arrivals = [];
  for (const { atMs, server } of changesIn(SECONDS, changesPerSecond, random)) {
    const thread = redis[server % redisThreads];
    const begun = thread.begin(atMs, (constants.redisChangeMicros + readers * constants.redisHandOutMicros) / 1e3);
    // Readers are told one after the other.
    let reached =
      begun + (constants.redisChangeMicros + random() * readers * constants.redisHandOutMicros) / 1e3 + hopMs;
    for (const relay of relays) {
      const told = relay.begin(reached, (constants.followMicros + fanOut * constants.deliverMicros) / 1e3);
      reached = told + (constants.followMicros + random() * fanOut * constants.deliverMicros) / 1e3 + hopMs;
    }
    arrivals.push({ atMs, reached });
  }
  return quantiles(
    delivered(
      arrivals.sort((a, b) => a.reached - b.reached),
      { constants, clients, hz, hopMs, random },
    ),
  );
}

/** Applied as they come; told at once where the last tick is a period ago, at the next one otherwise, to one client after the other. */
function delivered(arrivals, { constants, clients, hz, hopMs, random }) {
  const node = new Processor();
  const latencies = [];
  let waiting = [];
  let lastMs = -Infinity;
  let dueMs = Infinity;
  const tick = () => {
    const begun = node.begin(dueMs, (clients * constants.deliverMicros) / 1e3);
    for (const atMs of waiting) {
      latencies.push(begun + (random() * clients * constants.deliverMicros) / 1e3 + hopMs - atMs);
    }
    waiting = [];
    lastMs = dueMs;
    dueMs = Infinity;
  };
  for (const { atMs, reached } of arrivals) {
    if (dueMs < reached) tick();
    const applied = node.begin(reached, constants.followMicros / 1e3) + constants.followMicros / 1e3;
    if (dueMs < applied) tick();
    if (waiting.length === 0) dueMs = Math.max(applied, lastMs + 1_000 / hz);
    waiting.push(atMs);
  }
  if (waiting.length > 0) tick();
  return latencies;
}

/** Does one thing after the other. */
class Processor {
  #freeAtMs = 0;

  /** @returns when something that comes at `atMs` is begun */
  begin(atMs, forMs) {
    const begun = Math.max(atMs, this.#freeAtMs);
    this.#freeAtMs = begun + forMs;
    return begun;
  }
}

/** Each server changes at its own pace, not all at once; in order. */
function changesIn(seconds, perSecond, random) {
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

/** The same numbers each time: mulberry32. */
function randomOf(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
