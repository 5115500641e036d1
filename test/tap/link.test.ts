import { afterEach, describe, expect, test } from 'vitest';
import { type Clock, systemClock } from '../../src/shared/index.js';
import { Link } from '../../src/tap/link.js';
import { ChangeNotifier, waitUntil } from '../support/wait.js';
import { deaf, Watcher } from './watcher.js';

interface Pause {
  readonly delayMs: number;
  readonly end: () => void;
}

/** Hands out each pause between two attempts, and does not wait for it. */
class Pauses {
  readonly clock: Clock;
  readonly #pauses: Pause[] = [];
  readonly #changes = new ChangeNotifier();

  constructor() {
    this.clock = {
      ...systemClock,
      schedule: (delayMs, end) => {
        this.#pauses.push({ delayMs, end });
        this.#changes.notify();
        return { [Symbol.dispose]: () => undefined };
      },
    };
  }

  async next(): Promise<Pause> {
    await this.#changes.until(() => this.#pauses.length > 0, { state: () => 'no pause has begun' });
    const pause = this.#pauses.shift();
    if (pause === undefined) throw new Error('no pause');
    return pause;
  }
}

const NOTHING = { onMessage: () => undefined, onClose: () => undefined };
const links: Link[] = [];

function link(url: string, { clock = systemClock, random = 1 } = {}): Link {
  const one = new Link({ url, token: null, clock, random: () => random }, NOTHING);
  links.push(one);
  return one;
}

afterEach(() => {
  for (const one of links.splice(0)) one.end();
});

describe('a link to a swarmlens', () => {
  test.each([
    [1, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]],
    [0, [250, 500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000]],
  ])('that is away is tried with growing pauses, jittered by %i', async (random, expected) => {
    const pauses = new Pauses();
    link('ws://127.0.0.1:9', { clock: pauses.clock, random });
    const delays: number[] = [];
    while (delays.length < expected.length) {
      const { delayMs, end } = await pauses.next();
      delays.push(delayMs);
      end();
    }
    expect(delays).toEqual(expected);
  });

  test('that refuses it is tried rarely', async () => {
    await using watcher = await Watcher.start(() => undefined, { refuses: true });
    const pauses = new Pauses();
    link(watcher.url.replace('http', 'ws'), { clock: pauses.clock });
    expect((await pauses.next()).delayMs).toBe(300_000);
  });

  test('that does not want it is tried rarely', async () => {
    await using watcher = await Watcher.start((socket) => socket.close(4409, 'the name is taken'));
    const pauses = new Pauses();
    link(watcher.url.replace('http', 'ws'), { clock: pauses.clock });
    const delays = [(await pauses.next()).delayMs, (await pauses.next()).delayMs];
    // The first is that of the next ping.
    expect(delays).toEqual([20_000, 300_000]);
  });

  test('that does not read is sent no more than 4 MB, and told how much was left out', async () => {
    await using watcher = await Watcher.start(deaf);
    const one = link(watcher.url.replace('http', 'ws'));
    await watcher.until(() => watcher.requests[0]);
    await waitUntil(() => one.isOpen, { state: () => ({ closes: watcher.closes }) });
    for (let count = 0; count < 64; count += 1) one.send({ method: 'x', params: 'x'.repeat(1024 * 1024) });
    // The fifth goes over the mark, or one more when the system has taken some.
    expect(one.takeDropped()).toBeGreaterThan(50);
    expect(one.takeDropped()).toBe(0);
  });
});
