import { expect, test } from 'vitest';
import { runRandomFaults } from './random/run.js';

// What happens differs from run to run, with the machine's timing; what must be in the end does not. A breaker that
// many probes have failed pauses for half a minute.
test(
  'twenty seconds of random faults over three servers: in the end every picture is what the servers say',
  { timeout: 140_000 },
  async () => {
    const outcome = await runRandomFaults({ seconds: 20, seed: 3 });
    expect(outcome.problems).toEqual([]);
    expect(outcome.healedMs).not.toBeNull();
    expect(Object.keys(outcome.faults).length).toBeGreaterThan(5);
    expect(outcome.resumes).toBeGreaterThan(0);
  },
);
