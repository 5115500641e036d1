import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PrometheusMetrics } from '../../../src/telemetry/index.js';
import { mergeMetrics } from '../../../src/cli/workers/merge-metrics.js';
import { parseMetrics, promtool, promtoolHere, promtoolHint, type Sample } from '../../support/prometheus.js';
import { settled } from '../../support/manual-clock.js';
import { Rig } from './worker-setup.js';

/** Whatever a server may be called: it stands in a label. */
const NAME = fc.oneof(fc.constantFrom('a', 'a"b', 'a\\', 'a\nb', 'a\n\nb', '{worker="9"}', '# HELP a b'), fc.string());

/** Those that differ, however they are sorted. */
function sorted(samples: readonly Sample[]): readonly string[] {
  return samples.map(({ name, labels, value }) => JSON.stringify([name, Object.entries(labels).sort(), value])).sort();
}

describe('metrics of several workers in one text', () => {
  test('are those of each with its number, described once; who has not answered is missing, and is said to be', async () => {
    const worker = fc.option(fc.array(NAME, { maxLength: 4 }));
    await fc.assert(
      fc.asyncProperty(fc.array(worker, { maxLength: 5 }), async (workers) => {
        const texts = await Promise.all(
          workers.map(async (servers) => {
            if (servers === null) return null;
            const metrics = new PrometheusMetrics();
            for (const server of servers) metrics.recordPoll(server, true, 7);
            return await metrics.read();
          }),
        );
        // It takes no line that is not Prometheus', and nothing that is said twice.
        const merged = parseMetrics(mergeMetrics(texts));
        const expected = texts.flatMap((text, index) => {
          const label = { worker: `${index + 1}` };
          const own = text === null ? [] : [...parseMetrics(text).values()].flatMap(({ samples }) => samples);
          const up = { name: 'swarmlens_worker_up', labels: {}, value: text === null ? 0 : 1 };
          return [...own, up].map(({ name, labels, value }) => ({ name, labels: { ...labels, ...label }, value }));
        });
        expect(sorted([...merged.values()].flatMap(({ samples }) => samples))).toEqual(sorted(expected));
        for (const text of texts) {
          for (const { name, help, type } of text === null ? [] : parseMetrics(text).values()) {
            expect(merged.get(name)).toMatchObject({ help, type });
          }
        }
      }),
      { numRuns: 50 },
    );
  });

  test.skipIf(!promtoolHere)(`promtool takes them${promtoolHint}`, async () => {
    const metrics = new PrometheusMetrics();
    metrics.recordToolCall('a\n"b"\\', 'c', 'ok', 5);
    const text = await metrics.read();
    expect(promtool(['check', 'metrics'], mergeMetrics([text, null, text]))).toEqual({ code: 0, said: '' });
  });
});

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
      while (rig.clock.pending > 1) await settled();
      expect(isOver).toBe(false);
      rig.clock.advance(1);
      expect(told(await over)).toEqual({ 1: [1, round], 2: [0], 3: [1, round] });
      expect(rig.clock.pending).toBe(0);
    }
    let reads = '';
    while (!reads.startsWith('2 ')) reads = await rig.get('/reads');
    expect(reads).toBe('2 1');
  });

  test('does not wait for one that ends meanwhile, waits to be started again, or cannot read its own', async () => {
    await using rig = new Rig(3, (number) => (number === 2 ? 'mortal' : number === 3 ? 'unable' : 'good'));
    await rig.place();
    const workers = await rig.workers;
    // By a clock that stands still.
    expect(told(await workers.metrics())).toEqual({ 1: [1, 1], 2: [0], 3: [0] });
    await rig.logged(/worker 2 exited .*, restarting/);
    expect(told(await workers.metrics())).toEqual({ 1: [1, 2], 2: [0], 3: [0] });
    // The pause, and nothing of the scrapes.
    expect(rig.clock.pending).toBe(1);
  });
});
