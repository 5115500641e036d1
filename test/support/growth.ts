const ROUNDS = 3;
const ATTEMPTS = 4;
/** Duration in milliseconds below which a measurement says nothing about growth. */
const RESOLUTION_MS = 4;
/** Factor between the two sizes. */
const FACTOR = 8;
/** Largest allowed growth of the time. Linear work takes about eight times as long, quadratic work 64 times. */
const MAX_GROWTH = 24;

/** Returns the CPU time of the fastest of several rounds, in milliseconds. Other load on the machine does not lengthen it. */
async function measureCpuMs(work: () => unknown, rounds: number): Promise<number> {
  let bestMs = Infinity;
  for (let round = 0; round < rounds; round += 1) {
    const start = process.cpuUsage();
    await work();
    const { user, system } = process.cpuUsage(start);
    bestMs = Math.min(bestMs, (user + system) / 1_000);
  }
  return bestMs;
}

/**
 * Returns whether work takes more than 24 times as long on eight times the size. A measurement that says so is repeated with more
 * rounds, because garbage collection and compilation disturb it.
 * @param prepare returns the work for a size
 * @param size larger size
 */
export async function growsTooFast(prepare: (size: number) => () => unknown, size: number): Promise<boolean> {
  const [short, long] = [prepare(Math.ceil(size / FACTOR)), prepare(size)];
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const longMs = await measureCpuMs(long, attempt === 1 ? 1 : ROUNDS * attempt);
    if (longMs < RESOLUTION_MS) return false;
    const shortMs = await measureCpuMs(short, ROUNDS * attempt);
    if (longMs <= MAX_GROWTH * shortMs) return false;
  }
  return true;
}
