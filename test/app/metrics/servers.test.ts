import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ServerHealth } from '../../../src/model/index.js';
import { busMetrics } from '../../../src/app/metrics/bus-metrics.js';
import { serverMetrics } from '../../../src/app/metrics/server-metrics.js';
import { emptyDelta, Store } from '../../../src/state/index.js';
import { PrometheusMetrics } from '../../../src/telemetry/prometheus-metrics.js';
import { agentOf, serverOf } from '../../support/arbitraries.js';
import { ManualClock } from '../../support/manual-clock.js';
import { type Family, parseMetrics, valueOf } from '../../support/prometheus.js';

async function scrape(
  store: Store,
  health: (id: string) => ServerHealth | null = () => null,
): Promise<ReadonlyMap<string, Family>> {
  const metrics = new PrometheusMetrics();
  const clock = new ManualClock(Date.parse('2026-11-27T02:01:30.000Z'));
  for (const metric of serverMetrics({ store, upstreams: { health }, clock })) metrics.register(metric);
  return parseMetrics(await metrics.read());
}

function newStore(): Store {
  return new Store({ epoch: 'e', maxTombstones: 10, maxEvents: 1 });
}

describe('serverMetrics', () => {
  test('reports at most 128 servers and 50 agent types, and merges the rest into "other"', async () => {
    const store = newStore();
    for (let index = 0; index < 200; index += 1) {
      const id = `s${index}`;
      const agents = fc
        .sample(fc.tuple(agentOf(id, 'a'), agentOf(id, 'b')), { numRuns: 1, seed: index })
        .flat()
        .map((agent, nth) => ({ ...agent, type: `type ${index}`, stale: nth === 0 }));
      store.commit({ ...emptyDelta(id), server: serverOf(id), seenAt: '2026-11-27T02:01:00.000Z', agents });
    }
    const families = await scrape(store);
    for (const name of [
      'swarmlens_agents',
      'swarmlens_stale_agents',
      'swarmlens_server_status',
      'swarmlens_agents_by_type',
    ]) {
      const { samples = [] } = families.get(name) ?? {};
      const keys = new Set(samples.map(({ labels }) => labels['server'] ?? labels['type']));
      expect([name, keys.size]).toEqual([name, name.endsWith('type') ? 51 : 129]);
      const sum = samples.reduce((total, { value }) => total + value, 0);
      expect([name, sum]).toEqual([name, name.includes('status') || name.includes('stale') ? 200 : 400]);
    }
    expect(families.get('swarmlens_server_stale_seconds')?.samples).toHaveLength(128);
  });

  test('reports for how long a server has been stale, and omits unknown values', async () => {
    const store = newStore();
    const stale = { ...serverOf('a'), stale: true, staleSince: '2026-11-27T02:00:00.000Z' };
    store.commit({ ...emptyDelta('a'), server: stale, seenAt: '2026-11-27T01:59:59.500Z' });
    store.commit({ ...emptyDelta('b'), server: serverOf('b') });
    const families = await scrape(store);
    expect(valueOf(families, 'swarmlens_server_stale_seconds', { server: 'a' })).toBe(90);
    expect(valueOf(families, 'swarmlens_server_stale_seconds', { server: 'b' })).toBe(0);
    expect(valueOf(families, 'swarmlens_server_last_answer_timestamp_seconds')).toBe(
      Date.parse('2026-11-27T01:59:59.500Z') / 1000,
    );
    for (const name of ['swarmlens_poll_effective_rate_hertz', 'swarmlens_breaker_state']) {
      expect(families.get(name)?.samples).toEqual([]);
    }
  });

  test('reads the health of a server once per scrape', async () => {
    const store = newStore();
    store.commit({ ...emptyDelta('a'), server: serverOf('a') });
    const read: string[] = [];
    await scrape(store, (id) => {
      read.push(id);
      return null;
    });
    expect(read).toEqual(['a']);
  });
});

describe('busMetrics', () => {
  async function scrapeBus(...args: Parameters<typeof busMetrics>): Promise<ReadonlyMap<string, Family>> {
    const metrics = new PrometheusMetrics();
    for (const metric of busMetrics(...args)) metrics.register(metric);
    return parseMetrics(await metrics.read());
  }

  test('reports the statistics of the bus, with the lag in seconds', async () => {
    const refused = new Map([['signature', 2]]);
    const counts = { published: 3, received: 5, resyncs: 1 };
    const families = await scrapeBus(() => ({ isUp: false, ...counts, lagMs: 12, refused }));
    expect(valueOf(families, 'swarmlens_bus_up')).toBe(0);
    expect(valueOf(families, 'swarmlens_bus_published_total')).toBe(3);
    expect(valueOf(families, 'swarmlens_bus_received_total')).toBe(5);
    expect(valueOf(families, 'swarmlens_bus_resyncs_total')).toBe(1);
    expect(valueOf(families, 'swarmlens_bus_lag_seconds')).toBe(0.012);
    expect(valueOf(families, 'swarmlens_bus_refused_total', { reason: 'signature' })).toBe(2);
  });

  test('reports metrics without values when there is no bus or the value is unknown', async () => {
    const none = await scrapeBus(() => null);
    expect(none.get('swarmlens_bus_up')?.samples).toEqual([]);
    const counts = { published: 0, received: 0, resyncs: 0 };
    const silent = await scrapeBus(() => ({ isUp: true, ...counts, lagMs: null, refused: new Map() }));
    expect(silent.get('swarmlens_bus_lag_seconds')?.samples).toEqual([]);
  });
});
