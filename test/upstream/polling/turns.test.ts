import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PollScheduler } from '../../../src/upstream/polling/poll-scheduler.js';
import { sleep } from '../../../src/shared/index.js';
import { ManualClock, settled } from '../../support/manual-clock.js';

interface Poll {
  readonly startMs: number;
  readonly durationMs: number;
}

/** Polls a server that takes `durationOf` over each answer, for a while. */
class PolledServer implements Disposable {
  readonly clock = new ManualClock();
  readonly polls: Poll[] = [];
  readonly turns: PollScheduler;
  readonly #stop = new AbortController();
  readonly #ended: Promise<void>;

  constructor(hz: number, maxPollShare: number, durationOf: (poll: number) => number) {
    const intervalMs = (): number => 1000 / hz;
    this.turns = new PollScheduler(this.clock, { intervalMs, minIntervalMs: () => 1000 / 60, maxPollShare });
    this.#ended = this.#run(durationOf);
  }

  async #run(durationOf: (poll: number) => number): Promise<void> {
    const { signal } = this.#stop;
    const poll = async (): Promise<boolean> => {
      const durationMs = durationOf(this.polls.length);
      this.polls.push({ startMs: this.clock.monotonic(), durationMs });
      await sleep(this.clock, durationMs, signal);
      return true;
    };
    while (!signal.aborted) await this.turns.runNext(poll, signal);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#ended;
    expect(this.clock.pending).toBe(0);
  }

  [Symbol.dispose](): void {
    this.#stop.abort();
  }
}

describe('turns', () => {
  test('a server that answers slowly is polled within its share, and as often as wanted again when it is quick', async () => {
    using server = new PolledServer(50, 0.5, (poll) => (poll < 50 ? 80 : 2));
    await server.clock.pass(8_000, 1);
    expect(server.polls.length).toBeGreaterThan(48);
    expect(server.polls.length).toBeLessThan(53);
    expect(server.turns.stats()).toMatchObject({ wantedHz: 50, maxTimeShare: 0.5 });
    await server.clock.pass(4_000, 1);
    const before = server.polls.length;
    await server.clock.pass(1_000, 1);
    expect(server.polls.length - before).toBeGreaterThanOrEqual(49);
    const { effectiveHz, timeShare } = server.turns.stats();
    expect(effectiveHz).toBeCloseTo(50, 0);
    expect(timeShare).toBeCloseTo(0.1, 1);
    await server.stop();
  });

  test('whatever the answers take, no span of polls takes more than its share', async () => {
    const durations = fc.array(fc.integer({ min: 0, max: 200 }), { minLength: 10, maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(
        durations,
        fc.constantFrom(0.1, 0.25, 0.5, 1),
        fc.constantFrom(1, 10, 60),
        async (all, share, hz) => {
          using server = new PolledServer(hz, share, (poll) => all[poll % all.length] ?? 0);
          await server.clock.pass(3_000, 5);
          for (const [index, { startMs, durationMs }] of server.polls.entries()) {
            const next = server.polls[index + 1];
            if (next !== undefined) expect(next.startMs - startMs).toBeGreaterThanOrEqual(durationMs / share - 1e-6);
          }
          await server.stop();
        },
      ),
      { numRuns: 50 },
    );
  });

  test('something told unasked brings the next poll forward, not beyond the most that the server may be asked', async () => {
    using server = new PolledServer(1, 0.5, () => 2);
    await server.clock.pass(5, 1);
    expect(server.polls).toHaveLength(1);
    for (let told = 0; told < 1_000; told += 1) {
      server.turns.expedite();
      await server.clock.pass(1, 1);
    }
    expect(server.polls.length).toBeGreaterThan(55);
    expect(server.polls.length).toBeLessThanOrEqual(62);
    await server.stop();
  });

  test('something told unasked does not bring a poll forward into the share that is not for polls', async () => {
    using server = new PolledServer(1, 0.1, () => 50);
    await server.clock.pass(60, 1);
    server.turns.expedite();
    await server.clock.pass(430, 1);
    expect(server.polls).toHaveLength(1);
    await server.clock.pass(20, 1);
    expect(server.polls).toHaveLength(2);
    await server.stop();
  });

  test('who asks for a poll does not wait for the share', async () => {
    using server = new PolledServer(1, 0.1, () => 50);
    await server.clock.pass(60, 1);
    const asked = server.turns.requestPoll();
    await settled();
    expect(server.polls).toHaveLength(2);
    await server.clock.pass(60, 1);
    expect(await asked).toBe(true);
    await server.stop();
  });
});
