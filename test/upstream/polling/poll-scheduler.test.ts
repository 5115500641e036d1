import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PollScheduler } from '../../../src/upstream/polling/poll-scheduler.js';
import { sleep } from '../../../src/shared/index.js';
import { ManualClock, settled } from '../../support/manual-clock.js';

interface Poll {
  readonly startMs: number;
  readonly durationMs: number;
}

/** Polls a server continuously. Each answer takes `durationOf` milliseconds. */
class PolledServer implements Disposable {
  readonly clock = new ManualClock();
  readonly polls: Poll[] = [];
  readonly scheduler: PollScheduler;
  readonly #stop = new AbortController();
  readonly #ended: Promise<void>;

  constructor(hz: number, maxPollShare: number, durationOf: (poll: number) => number) {
    const intervalMs = (): number => 1000 / hz;
    this.scheduler = new PollScheduler(this.clock, { intervalMs, minIntervalMs: () => 1000 / 60, maxPollShare });
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
    while (!signal.aborted) await this.scheduler.runNext(poll, signal);
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

describe('PollScheduler', () => {
  test('polls a slow server within its time share, and at the full rate when it is fast again', async () => {
    using server = new PolledServer(50, 0.5, (poll) => (poll < 50 ? 80 : 2));
    await server.clock.pass(8_000, 1);
    expect(server.polls.length).toBeGreaterThan(48);
    expect(server.polls.length).toBeLessThan(53);
    expect(server.scheduler.stats()).toMatchObject({ wantedHz: 50, maxTimeShare: 0.5 });
    await server.clock.pass(4_000, 1);
    const before = server.polls.length;
    await server.clock.pass(1_000, 1);
    expect(server.polls.length - before).toBeGreaterThanOrEqual(49);
    const { effectiveHz, timeShare } = server.scheduler.stats();
    expect(effectiveHz).toBeCloseTo(50, 0);
    expect(timeShare).toBeCloseTo(0.1, 1);
    await server.stop();
  });

  test('for any duration of the answers: no poll takes more than its time share', async () => {
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

  test('runs the next poll early after a notification, but not before the minimum interval', async () => {
    using server = new PolledServer(1, 0.5, () => 2);
    await server.clock.pass(5, 1);
    expect(server.polls).toHaveLength(1);
    for (let count = 0; count < 1_000; count += 1) {
      server.scheduler.expedite();
      await server.clock.pass(1, 1);
    }
    expect(server.polls.length).toBeGreaterThan(55);
    expect(server.polls.length).toBeLessThanOrEqual(62);
    await server.stop();
  });

  test('does not exceed the time share for a notification', async () => {
    using server = new PolledServer(1, 0.1, () => 50);
    await server.clock.pass(60, 1);
    server.scheduler.expedite();
    await server.clock.pass(430, 1);
    expect(server.polls).toHaveLength(1);
    await server.clock.pass(20, 1);
    expect(server.polls).toHaveLength(2);
    await server.stop();
  });

  test('reports unknown rates before the second poll', async () => {
    using server = new PolledServer(10, 0.5, () => 5);
    expect(server.scheduler.stats()).toEqual({ wantedHz: 10, effectiveHz: null, timeShare: null, maxTimeShare: 0.5 });
    await server.clock.pass(50, 1);
    expect(server.scheduler.stats()).toMatchObject({ effectiveHz: null, timeShare: null });
    await server.clock.pass(60, 1);
    expect(server.scheduler.stats().effectiveHz).toBeGreaterThan(0);
    await server.stop();
  });

  test('leaves half of the time of the server to others when polls are requested one after the other', async () => {
    using server = new PolledServer(1, 0.1, () => 50);
    await server.clock.pass(60, 1);
    const startMs = server.clock.monotonic();
    for (let request = 0; request < 10; request += 1) {
      const answers: boolean[] = [];
      const requested = server.scheduler.requestPoll().then((answered) => answers.push(answered));
      while (answers.length === 0) await server.clock.pass(1, 1);
      await requested;
    }
    const polls = server.polls.filter((poll) => poll.startMs >= startMs);
    for (const [index, poll] of polls.entries()) {
      const previous = polls[index - 1];
      if (previous !== undefined) expect(poll.startMs - previous.startMs).toBeGreaterThanOrEqual(100);
    }
    expect(polls).toHaveLength(10);
    await server.stop();
  });

  test('runs a requested poll immediately, regardless of the time share', async () => {
    using server = new PolledServer(1, 0.1, () => 50);
    await server.clock.pass(60, 1);
    const requested = server.scheduler.requestPoll();
    await settled();
    expect(server.polls).toHaveLength(2);
    await server.clock.pass(60, 1);
    expect(await requested).toBe(true);
    await server.stop();
  });
});

describe('PollScheduler with a server that never stops sending notifications', () => {
  test('polls at most twice as often as without notifications', async () => {
    using server = new PolledServer(0.2, 0.5, () => 2);
    const flood = async (durationMs: number): Promise<number> => {
      const before = server.polls.length;
      for (let elapsedMs = 0; elapsedMs < durationMs; elapsedMs += 100) {
        server.scheduler.expedite();
        await server.clock.pass(100, 100);
      }
      return server.polls.length - before;
    };
    // The polls of a burst are allowed at once.
    await flood(60_000);
    expect(await flood(600_000)).toBeLessThanOrEqual(2 * 120 + 1);
    await server.stop();
  });

  test('polls soon after a notification that follows a quiet time', async () => {
    using server = new PolledServer(0.2, 0.5, () => 2);
    await server.clock.pass(10, 1);
    for (let elapsedMs = 0; elapsedMs < 120_000; elapsedMs += 100) {
      server.scheduler.expedite();
      await server.clock.pass(100, 100);
    }
    await server.clock.pass(20_000, 100);
    const before = server.polls.length;
    server.scheduler.expedite();
    await server.clock.pass(20, 1);
    expect(server.polls.length - before).toBe(1);
    await server.stop();
  });
});
