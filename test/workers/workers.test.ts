import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { forkOf, type Place, StartError, Workers } from '../../src/workers/index.js';
import { type LogLine, recordingLogger } from '../mcp/support.js';
import { ManualClock, settled } from '../support/manual-clock.js';

const PROGRAM = fileURLToPath(new URL('worker.js', import.meta.url));
const SHUTDOWN_MS = 2_000;

/** See worker.js. */
type Manner = 'good' | 'broken' | 'deaf' | 'unwell';

/** Workers that are real processes, by a clock of the test's own. */
class Rig implements AsyncDisposable {
  readonly clock = new ManualClock();
  readonly lines: readonly LogLine[];
  readonly workers: Promise<Workers>;
  readonly #place: Promise<Place | null>;
  readonly #asked = new AbortController();

  /** @param mannerOf how a worker behaves that is started for the nth time, from 1 on */
  constructor(count: number, mannerOf: (number: number, nth: number) => Manner = () => 'good') {
    const { logger, lines } = recordingLogger();
    this.lines = lines;
    const starts = new Map<number, number>();
    const fork: ReturnType<typeof forkOf> = (number) => {
      const nth = (starts.get(number) ?? 0) + 1;
      starts.set(number, nth);
      return forkOf(PROGRAM, [mannerOf(number, nth)])(number);
    };
    const options = { count, fork, shutdownMs: SHUTDOWN_MS, clock: this.clock, random: () => 0.999999, logger };
    const started = Workers.start(options, this.#asked.signal);
    this.workers = started.then(({ workers }) => workers);
    this.#place = started.then(({ place }) => place);
    // Awaited by those that expect it.
    this.workers.catch(() => undefined);
    this.#place.catch(() => undefined);
  }

  /** Where all of them are; `null`: they were asked to stop before. */
  place(): Promise<Place | null> {
    return this.#place;
  }

  ask(): void {
    this.#asked.abort();
  }

  messages(): string[] {
    return this.lines.map(({ message }) => message);
  }

  /** The pauses that were told so far. */
  pausesMs(): number[] {
    return this.messages().flatMap((message) => Number(/again in (\d+) ms/.exec(message)?.[1] ?? NaN) || []);
  }

  /** Resolves when there are so many lines of the log like it. */
  async logged(pattern: RegExp, count = 1): Promise<void> {
    while (this.messages().filter((message) => pattern.test(message)).length < count) await settled();
  }

  /** The number and the process of whoever's turn it is. */
  async get(path = '/'): Promise<string> {
    const place = await this.place();
    if (place === null) throw new Error('it was stopped');
    return await (await fetch(`http://${place.address}:${place.port}${path}`)).text();
  }

  /** Makes a worker end with exit code 7. @returns its process */
  async end(number: number): Promise<string> {
    for (;;) {
      const [who, pid = ''] = (await this.get(`/die/${number}`)).split(' ');
      if (who === `${number}`) return pid;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const workers = await this.workers.catch(() => null);
    await workers?.stop();
    expect(this.clock.pending).toBe(0);
  }
}

describe('workers', () => {
  test('answer on one port in turn, each in a process of its own; the others start when the first accepts', async () => {
    await using rig = new Rig(3);
    const answers = await Promise.all([rig.get(), rig.get(), rig.get()]);
    expect(answers.map((answer) => answer.split(' ')[0]).sort()).toEqual(['1', '2', '3']);
    expect(new Set(answers.map((answer) => answer.split(' ')[1])).size).toBe(3);
    expect(rig.messages()).toEqual(['worker 1 is started', 'worker 2 is started', 'worker 3 is started']);
    expect(await (await rig.workers).stop()).toBe(true);
    expect(rig.messages().slice(3).sort()).toEqual([1, 2, 3].map((n) => `worker ${n} has stopped: exit code 0`));
  });

  test('one that ends unasked is started again after a pause, in its place, while the others go on', async () => {
    await using rig = new Rig(2);
    const before = await rig.end(1);
    await rig.logged(/again/);
    expect(rig.messages().at(-1)).toBe('worker 1 has ended (exit code 7) and is started again in 500 ms');
    const others = [await rig.get(), await rig.get()];
    expect(others).toEqual([expect.stringMatching(/^2 /), others[0]]);
    rig.clock.advance(499);
    expect(rig.messages().at(-1)).toMatch(/again/);
    rig.clock.advance(1);
    let again = '';
    while (!again.startsWith('1 ')) again = await rig.get();
    expect(again).not.toBe(`1 ${before}`);
  });

  test('pauses grow, and start over when a worker has lasted a minute', async () => {
    await using rig = new Rig(2);
    for (const [round, lastedMs] of [0, 59_999, 60_000, 0].entries()) {
      rig.clock.advance(lastedMs);
      await rig.end(1);
      await rig.logged(/again/, round + 1);
      rig.clock.advance(30_000);
      while (!(await rig.get()).startsWith('1 ')) continue;
    }
    expect(rig.pausesMs()).toEqual([500, 1_000, 500, 1_000]);
  });

  test('one that never comes to anything is given up, which is said; the program is ready without it', async () => {
    await using rig = new Rig(2, (number) => (number === 1 ? 'good' : 'broken'));
    for (let round = 1; round < 10; round += 1) {
      await rig.logged(/again/, round);
      rig.clock.advance(30_000);
    }
    expect(await rig.place()).not.toBeNull();
    expect(rig.pausesMs()).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
    expect(rig.messages().at(-1)).toMatch(/^worker 2 is given up after 10 starts in a row \(exit code 3\): .*again$/);
    expect(rig.lines.at(-1)).toMatchObject({ level: 'error' });
    expect(await rig.get()).toMatch(/^1 /);
  });

  test('when all are given up it is over', async () => {
    await using rig = new Rig(1, (_number, nth) => (nth === 1 ? 'good' : 'broken'));
    await rig.end(1);
    for (let round = 1; round < 10; round += 1) {
      await rig.logged(/again/, round);
      rig.clock.advance(30_000);
    }
    await (await rig.workers).ended();
    expect(rig.messages().at(-1)).toMatch(/is given up/);
  });

  test('what keeps the first from starting is told once: no other is started, and its exit code is passed on', async () => {
    await using rig = new Rig(4, () => 'broken');
    const error = await rig.workers.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(StartError);
    expect(error).toMatchObject({ code: 3, message: 'the first worker could not be started: exit code 3' });
    expect(rig.messages()).toEqual(['worker 1 is started']);
  });

  test('asked to stop while they start, they stop', async () => {
    await using rig = new Rig(3);
    rig.ask();
    expect(await rig.place()).toBeNull();
    expect(await (await rig.workers).stop()).toBe(true);
  });

  test('asked to stop during a pause, nothing is started any more', async () => {
    await using rig = new Rig(2);
    await rig.end(1);
    await rig.logged(/again/);
    expect(await (await rig.workers).stop()).toBe(true);
    expect(rig.messages().filter((message) => message.endsWith('is started'))).toHaveLength(2);
  });

  test('one that ends with an error when it is asked to stop is told of', async () => {
    await using rig = new Rig(2, (number) => (number === 1 ? 'good' : 'unwell'));
    await rig.place();
    expect(await (await rig.workers).stop()).toBe(false);
    expect(rig.messages()).toContain('worker 2 has stopped: exit code 5');
  });

  test('one that does not heed being asked is killed when its time and that of its children is over', async () => {
    await using rig = new Rig(2, (number) => (number === 1 ? 'good' : 'deaf'));
    await rig.place();
    const stopped = (await rig.workers).stop();
    await rig.logged(/worker 1 has stopped/);
    rig.clock.advance(SHUTDOWN_MS + 4_999);
    expect(rig.messages()).not.toContain('a worker has not ended in time and is killed');
    rig.clock.advance(1);
    expect(await stopped).toBe(false);
    expect(rig.messages().slice(-2)).toEqual([
      'a worker has not ended in time and is killed',
      'worker 2 has stopped: signal SIGKILL',
    ]);
  });
});
