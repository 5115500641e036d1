import { describe, expect, test } from 'vitest';
import { parseMetrics } from '../../support/prometheus.js';
import { waitUntil } from '../../support/wait.js';
import { Rig } from './worker-setup.js';

const UP = 'swarmlens_worker_up';

/** Returns the samples of each worker by its number: the number of reads, if known, and whether the worker is up. */
function samplesByWorker(text: string): Readonly<Record<string, readonly number[]>> {
  const found: Record<string, number[]> = {};
  for (const { samples } of parseMetrics(text).values()) {
    for (const { labels, value } of samples) (found[labels['worker'] ?? ''] ??= []).push(value);
  }
  expect([...parseMetrics(text).keys()].sort()).toEqual(['reads_total', UP]);
  return found;
}

describe('WorkerPool.metrics', () => {
  test('returns the metrics of all workers from each worker', async () => {
    await using rig = new Rig(3);
    const texts = await Promise.all([1, 2, 3].map(() => rig.get('/metrics')));
    for (const text of texts) expect(Object.keys(samplesByWorker(text))).toEqual(['1', '2', '3']);
    // No request is left open.
    expect(rig.clock.pending).toBe(0);
  });

  test('omits a worker that does not answer within one second and sends it no second request', async () => {
    await using rig = new Rig(3, (number) => (number === 2 ? 'mute' : 'good'));
    for (const round of [1, 2]) {
      await rig.address();
      const scrape = (await rig.workers).metrics();
      let isOver = false;
      const over = scrape.finally(() => (isOver = true));
      rig.clock.advance(999);
      // One timer remains when all other workers have answered.
      await waitUntil(() => rig.clock.pending === 1, { state: () => rig.clock.pending, intervalMs: 1 });
      expect(isOver).toBe(false);
      rig.clock.advance(1);
      expect(samplesByWorker(await over)).toEqual({ 1: [1, round], 2: [0], 3: [1, round] });
      expect(rig.clock.pending).toBe(0);
    }
    expect(await rig.answerOf(2, '/reads')).toBe('2 1');
  });

  test('omits workers that exit, wait for a restart or fail to read their metrics', async () => {
    await using rig = new Rig(3, (number) => (number === 2 ? 'mortal' : number === 3 ? 'unable' : 'good'));
    await rig.address();
    const workers = await rig.workers;
    // The clock does not move, so a wait would never end.
    expect(samplesByWorker(await workers.metrics())).toEqual({ 1: [1, 1], 2: [0], 3: [0] });
    await rig.logged(/worker 2 exited .*, restarting/);
    expect(samplesByWorker(await workers.metrics())).toEqual({ 1: [1, 2], 2: [0], 3: [0] });
    // The only timer left is the pause before the restart.
    expect(rig.clock.pending).toBe(1);
  });
});
