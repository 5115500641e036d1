import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PrometheusMetrics } from '../../../src/telemetry/prometheus-metrics.js';
import { mergeMetrics } from '../../../src/cli/workers/merge-metrics.js';
import { parseMetrics, promtool, hasPromtool, promtoolHint, type Sample } from '../../support/prometheus.js';

/** Server names, which metrics contain as label values. */
const NAME = fc.oneof(fc.constantFrom('a', 'a"b', 'a\\', 'a\nb', 'a\n\nb', '{worker="9"}', '# HELP a b'), fc.string());

/** Returns the samples as sorted text, so that their order does not matter in comparisons. */
function sorted(samples: readonly Sample[]): readonly string[] {
  return samples.map(({ name, labels, value }) => JSON.stringify([name, Object.entries(labels).sort(), value])).sort();
}

describe('mergeMetrics', () => {
  test('for any metrics of any workers: the result labels each sample with its worker and marks missing workers as down', async () => {
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
        // parseMetrics throws on invalid lines and on duplicates.
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
      { numRuns: 25 },
    );
  });

  test.skipIf(!hasPromtool)(`produces metrics that promtool accepts${promtoolHint}`, async () => {
    const metrics = new PrometheusMetrics();
    metrics.recordToolCall('a\n"b"\\', 'c', 'ok', 5);
    const text = await metrics.read();
    expect(promtool(['check', 'metrics'], mergeMetrics([text, null, text]))).toEqual({ code: 0, output: '' });
  });
});
