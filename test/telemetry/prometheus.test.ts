import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toLabelValue, topCounts } from '../../src/telemetry/index.js';
import { PrometheusMetrics } from '../../src/telemetry/prometheus-metrics.js';
import { type Family, parseMetrics, seriesOf, valueOf } from '../support/prometheus.js';

const OUTCOMES = ['ok', 'error', 'timeout', 'failed', 'busy', 'not_sent'] as const;

/** Names of servers and tools. Some of them repeat. */
const NAME = fc.oneof(
  fc.constantFrom('a', 'b', 'other', '', '__proto__', 'a"b', 'a\\', 'a\nb', '{x="1"}'),
  fc.string({ unit: 'binary' }),
  fc.string(),
);

async function scraped(metrics: PrometheusMetrics): Promise<ReadonlyMap<string, Family>> {
  return parseMetrics(await metrics.read());
}

function labelsIn(families: ReadonlyMap<string, Family>, label: string): Set<string> {
  const samples = [...families.values()].flatMap((family) => family.samples);
  return new Set(samples.flatMap(({ labels }) => labels[label] ?? []));
}

describe('label values', () => {
  test('for any names of servers and tools: label values are bounded, and every line can be parsed', async () => {
    const call = fc.record({ server: NAME, tool: NAME, outcome: fc.constantFrom(...OUTCOMES) });
    await fc.assert(
      fc.asyncProperty(fc.array(call, { maxLength: 40 }), async (calls) => {
        const metrics = new PrometheusMetrics();
        for (const { server, tool, outcome } of calls) metrics.recordToolCall(server, tool, outcome, 3);
        for (const { server } of calls) metrics.recordPoll(server, true, 1);
        const families = await scraped(metrics);
        const total = (families.get('swarmlens_mcp_calls_total')?.samples ?? []).reduce(
          (sum, { value }) => sum + value,
          0,
        );
        expect(total).toBe(calls.length);
        for (const label of ['server', 'tool']) {
          for (const value of labelsIn(families, label)) expect(value.length).toBeLessThanOrEqual(128);
        }
      }),
      { numRuns: 60 },
    );
  });

  test('merge servers and tools above the limit into "other" without losing counts', async () => {
    const metrics = new PrometheusMetrics();
    for (let server = 0; server < 1_000; server += 1) {
      metrics.recordPoll(`server ${server}`, false, 1);
      for (let tool = 0; tool < 100; tool += 1) metrics.recordToolCall(`server ${server}`, `tool ${tool}`, 'ok', 1);
    }
    const families = await scraped(metrics);
    expect(labelsIn(families, 'server').size).toBe(129);
    expect(labelsIn(families, 'tool').size).toBe(65);
    expect(families.get('swarmlens_mcp_calls_total')?.samples.length).toBeLessThanOrEqual(512 + 129);
    expect(valueOf(families, 'swarmlens_polls_total', { server: 'other', outcome: 'unanswered' })).toBe(872);
    expect(valueOf(families, 'swarmlens_mcp_calls_total', { server: 'server 0', tool: 'other' })).toBe(36);
  });

  test('are released when servers are removed', async () => {
    const metrics = new PrometheusMetrics();
    const before = seriesOf(await scraped(metrics));
    for (let round = 0; round < 1_000; round += 1) {
      metrics.recordPoll(`server ${round}`, true, 1);
      for (const outcome of OUTCOMES) metrics.recordToolCall(`server ${round}`, `tool ${round}`, outcome, 1);
      metrics.forget(`server ${round}`);
    }
    expect(seriesOf(await scraped(metrics))).toEqual(before);
  });

  test.each([
    ['a\nb\u001b[31m', 'a b'],
    ['\ud800x', '\ufffdx'],
    ['Bearer sk-abcdefghijklmnopqrstuvwxyz0123456789', expect.not.stringContaining('abcdefghij')],
  ])('format %j as %j', (text, label) => {
    expect(toLabelValue(text)).toEqual(label);
  });

  test('for any counts: topCounts keeps at most `max` entries and merges all others without losing counts', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.nat(9)), fc.nat(5), (counts, max) => {
        const all = new Map(Object.entries(counts));
        const shown = topCounts(all, max);
        const sum = (values: Iterable<number>): number => [...values].reduce((total, value) => total + value, 0);
        expect(shown.size).toBeLessThanOrEqual(max + 1);
        expect(sum(shown.values())).toBe(sum(all.values()));
      }),
    );
  });
});

describe('PrometheusMetrics', () => {
  test('counts an update for each reader, and times it once if it belongs to a tick', async () => {
    const metrics = new PrometheusMetrics();
    metrics.recordDelivery(1_000, 3);
    metrics.recordDelivery(5, null);
    metrics.recordSkippedTicks('slow_reader', 2);
    const families = await scraped(metrics);
    expect(valueOf(families, 'swarmlens_updates_sent_total')).toBe(1_005);
    expect(valueOf(families, 'swarmlens_tick_to_client_seconds_count')).toBe(1);
    expect(valueOf(families, 'swarmlens_tick_to_client_seconds_sum')).toBe(0.003);
    expect(valueOf(families, 'swarmlens_tick_to_client_seconds_bucket', { le: '0.002' })).toBe(0);
    expect(valueOf(families, 'swarmlens_tick_to_client_seconds_bucket', { le: '0.004' })).toBe(1);
    expect(valueOf(families, 'swarmlens_conflated_ticks_total', { cause: 'slow_reader' })).toBe(2);
    expect(valueOf(families, 'swarmlens_conflated_ticks_total', { cause: 'busy_server' })).toBe(0);
  });

  test('reads observable metrics at each scrape, and drops missing series', async () => {
    const metrics = new PrometheusMetrics();
    let here = ['a', 'b'];
    metrics.register({
      name: 'x_things',
      help: 'x',
      labels: ['id'],
      read: () => here.map((id) => [{ id }, 1] as const),
    });
    metrics.register({ name: 'x_bytes_total', help: 'x', labels: [], read: () => [[{}, here.length]] });
    expect(seriesOf(await scraped(metrics)).filter((series) => series.includes('x_things'))).toHaveLength(2);
    here = ['c', 'c', 'c'];
    const families = await scraped(metrics);
    expect(families.get('x_things')).toMatchObject({ type: 'gauge', samples: [{ labels: { id: 'c' }, value: 3 }] });
    expect(families.get('x_bytes_total')).toMatchObject({ type: 'counter', samples: [{ value: 3 }] });
  });

  test('counts a call that was not sent without timing it', async () => {
    const metrics = new PrometheusMetrics();
    metrics.recordToolCall('s', 't', 'not_sent', 0);
    metrics.recordToolCall('s', 't', 'timeout', 3_000);
    const families = await scraped(metrics);
    expect(valueOf(families, 'swarmlens_mcp_calls_total', { outcome: 'not_sent' })).toBe(1);
    expect(valueOf(families, 'swarmlens_mcp_call_duration_seconds_count', { tool: 't' })).toBe(1);
  });
});
