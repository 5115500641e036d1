import { describe, expect, test } from 'vitest';
import { parseMetrics } from '../support/prometheus.js';
import { waitUntil } from '../support/wait.js';
import { Rig } from './rig.js';

const UP = 'swarmlens_worker_up';

/** What each has told, by its number: of a worker how often it was read, and whether it is up. */
function told(text: string): Readonly<Record<string, readonly number[]>> {
  const found: Record<string, number[]> = {};
  for (const { samples } of parseMetrics(text).values()) {
    for (const { labels, value } of samples) (found[labels['worker'] ?? ''] ??= []).push(value);
  }
  expect([...parseMetrics(text).keys()].sort()).toEqual(['reads_total', UP]);
  return found;
}

describe('a scrape of one of several workers', () => {
  test('is answered for all of them, whichever is asked, and all that are asked meanwhile together', async () => {
    await using rig = new Rig(3);
    const texts = await Promise.all([1, 2, 3].map(() => rig.get('/metrics')));
    for (const text of texts) expect(Object.keys(told(text))).toEqual(['1', '2', '3']);
    // Nobody waits for anything any more.
    expect(rig.clock.pending).toBe(0);
  });

  test('leaves out one that has not answered within a second, and does not ask it again before it has', async () => {
    await using rig = new Rig(3, (number) => (number === 2 ? 'mute' : 'good'));
    for (const round of [1, 2]) {
      await rig.place();
      const scrape = (await rig.workers).metrics();
      let isOver = false;
      const over = scrape.finally(() => (isOver = true));
      rig.clock.advance(999);
      // The others have answered when only this one is waited for.
      await waitUntil(() => rig.clock.pending === 1, { state: () => rig.clock.pending, intervalMs: 1 });
      expect(isOver).toBe(false);
      rig.clock.advance(1);
      expect(told(await over)).toEqual({ 1: [1, round], 2: [0], 3: [1, round] });
      expect(rig.clock.pending).toBe(0);
    }
    expect(await rig.answerOf(2, '/reads')).toBe('2 1');
  });

  test('does not wait for one that ends meanwhile, waits to be started again, or cannot read its own', async () => {
    await using rig = new Rig(3, (number) => (number === 2 ? 'mortal' : number === 3 ? 'unable' : 'good'));
    await rig.place();
    const workers = await rig.workers;
    // By a clock that stands still.
    expect(told(await workers.metrics())).toEqual({ 1: [1, 1], 2: [0], 3: [0] });
    await rig.logged(/worker 2 has ended .* is started again/);
    expect(told(await workers.metrics())).toEqual({ 1: [1, 2], 2: [0], 3: [0] });
    // The pause, and nothing of the scrapes.
    expect(rig.clock.pending).toBe(1);
  });
});
