import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { App } from '../../src/app/create-app.js';
import { serverConfig, simulator, SocketClient, startApp, testConfig } from '../support/app.js';
import {
  type Family,
  parseMetrics,
  promtool,
  hasPromtool,
  promtoolHint,
  seriesOf,
  valueOf,
} from '../support/prometheus.js';
import { waitUntil } from '../support/wait.js';

interface Update {
  readonly agentUpdates: { readonly kind: string };
}

async function scrape({ url }: Pick<App, 'url'>): Promise<ReadonlyMap<string, Family>> {
  const response = await fetch(`${url}/metrics`);
  expect([response.status, response.headers.get('content-type')]).toEqual([
    200,
    expect.stringContaining('text/plain; version=0.0.4'),
  ]);
  return parseMetrics(await response.text());
}

/** Scrapes until the metrics match the expectation. */
async function scrapedWhen(
  app: App,
  isSo: (families: ReadonlyMap<string, Family>) => boolean,
): Promise<ReadonlyMap<string, Family>> {
  let families = await scrape(app);
  const isReached = async (): Promise<boolean> => {
    families = await scrape(app);
    return isSo(families);
  };
  await waitUntil(isReached, { state: () => seriesOf(families) });
  return families;
}

const WATCH = 'subscription ($mode: PerformanceMode) { agentUpdates(mode: $mode) { kind agents { id status } } }';

describe('GET /metrics', () => {
  let app: App;
  let startedAtMs: number;

  beforeAll(async () => {
    startedAtMs = Date.now();
    app = await startApp([
      simulator('ruv-swarm', { agents: 6, hz: 60 }),
      serverConfig('gone', ['--eval', 'process.exit(3)'], {
        restart: { initialMs: 60_000, maxMs: 60_000, maxAttempts: 20 },
      }),
    ]);
  });

  afterAll(async () => {
    await app[Symbol.asyncDispose]();
  });

  test('reports the same servers and agents as the API', async () => {
    const families = await scrape(app);
    const query = '{ servers { id agentCount } agents { id status type } }';
    const answer = await fetch(`${app.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query }),
    });
    const { data } = (await answer.json()) as { data: { agents: { id: string; type: string }[] } }; // as selected
    const agents = families.get('swarmlens_agents')?.samples ?? [];
    expect(agents.reduce((sum, { value }) => sum + value, 0)).toBe(data.agents.length);
    expect(data.agents.length).toBeGreaterThan(0);
    for (const { type } of data.agents) {
      const count = data.agents.filter((agent) => agent.type === type).length;
      expect([type, valueOf(families, 'swarmlens_agents_by_type', { type })]).toEqual([type, count]);
    }
    expect(valueOf(families, 'swarmlens_server_status', { server: 'ruv-swarm', status: 'online' })).toBe(1);
    expect(valueOf(families, 'swarmlens_server_status', { server: 'gone', status: 'offline' })).toBe(1);
    expect(valueOf(families, 'swarmlens_server_stale_seconds', { server: 'ruv-swarm' })).toBe(0);
    expect(valueOf(families, 'swarmlens_breaker_state', { server: 'ruv-swarm', state: 'closed' })).toBe(1);
    expect(valueOf(families, 'swarmlens_mcp_calls_total', { tool: 'agent_list', outcome: 'ok' })).toBeGreaterThan(0);
    expect(valueOf(families, 'swarmlens_polls_total', { server: 'ruv-swarm' })).toBeGreaterThan(0);
    const lastAnswer = valueOf(families, 'swarmlens_server_last_answer_timestamp_seconds', { server: 'ruv-swarm' });
    expect(lastAnswer).toBeGreaterThanOrEqual(startedAtMs / 1000);
    expect(lastAnswer).toBeLessThanOrEqual(Date.now() / 1000);
    // A single node has no bus, so its state must be absent instead of down.
    expect(families.get('swarmlens_bus_up')?.samples).toEqual([]);
    // The server was never reached, so the metric must be absent instead of zero.
    expect(() => valueOf(families, 'swarmlens_server_last_answer_timestamp_seconds', { server: 'gone' })).toThrow(
      '0 samples',
    );
  });

  test('reports connected clients and the updates that were sent to them', async () => {
    const before = await scrape(app);
    await using client = new SocketClient(app);
    using quick = client.subscribe<Update>(WATCH, { mode: 'HIGH_FREQUENCY' });
    using normal = client.subscribe<Update>(WATCH, { mode: 'NORMAL' });
    using same = client.subscribe<Update>(WATCH, { mode: 'NORMAL' });
    using notices = client.subscribe('subscription { notices { code } }');
    await Promise.all([
      quick.until((seen) => seen.length >= 5),
      normal.until((seen) => seen.length >= 3),
      same.until((seen) => seen.length >= 3),
    ]);
    const during = await scrapedWhen(
      app,
      (families) => valueOf(families, 'swarmlens_subscriptions', { mode: 'none' }) === 1,
    );
    expect(notices.error).toBe(null);
    expect(valueOf(during, 'swarmlens_websockets')).toBe(1);
    expect(valueOf(during, 'swarmlens_subscriptions', { mode: 'high_frequency' })).toBe(1);
    expect(valueOf(during, 'swarmlens_subscriptions', { mode: 'normal' })).toBe(2);
    expect(valueOf(during, 'swarmlens_requested_rate_hertz', { mode: 'normal' })).toBe(20);
    expect(valueOf(during, 'swarmlens_effective_rate_hertz', { mode: 'high_frequency' })).toBeGreaterThan(0);
    expect(valueOf(during, 'swarmlens_groups')).toBe(2);
    expect(valueOf(during, 'swarmlens_websocket_max_buffered_bytes')).toBeLessThan(
      valueOf(during, 'swarmlens_websocket_buffer_limit_bytes'),
    );
    expect(valueOf(during, 'swarmlens_tick_to_client_seconds_count')).toBeGreaterThan(0);
    const grown = (name: string): number => valueOf(during, name) - valueOf(before, name);
    expect(grown('swarmlens_updates_sent_total')).toBeGreaterThanOrEqual(11);
    expect(grown('swarmlens_network_sent_bytes_total')).toBeGreaterThan(1_000);
    expect(grown('swarmlens_network_received_bytes_total')).toBeGreaterThan(500);
    await client[Symbol.asyncDispose]();
    const after = await scrapedWhen(app, (families) => valueOf(families, 'swarmlens_groups') === 0);
    expect(valueOf(after, 'swarmlens_subscriptions', { mode: 'normal' })).toBe(0);
    expect(valueOf(after, 'swarmlens_websockets')).toBe(0);
  });

  test.skipIf(!hasPromtool)(`passes promtool without warnings${promtoolHint}`, async () => {
    const text = await (await fetch(`${app.url}/metrics`)).text();
    expect(promtool(['check', 'metrics'], text)).toEqual({ code: 0, output: '' });
  });

  test('allows only GET and HEAD', async () => {
    const response = await fetch(`${app.url}/metrics`, { method: 'POST' });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    expect(await (await fetch(`${app.url}/metrics`, { method: 'HEAD' })).text()).toBe('');
  });
});

test('GET /metrics returns no additional series after 1,000 rounds of clients', async () => {
  // A frozen simulation keeps the series of agents constant.
  await using app = await startApp([simulator('ruv-swarm', { agents: 4, hz: 0 })]);
  const round = async (client: SocketClient, type: number): Promise<void> => {
    using watching = client.subscribe<Update>(`subscription { agentUpdates(agentTypes: ["type ${type}"]) { kind } }`);
    await watching.until((seen) => seen.length >= 1);
  };
  // Clients do not decide which tools are called, and the poll rate is unknown for a moment when it changes.
  const isOfClients = (one: string): boolean => !/swarmlens_(mcp_call|poll_effective)/.test(one);
  const series = (families: ReadonlyMap<string, Family>): readonly string[] => seriesOf(families).filter(isOfClients);
  // Round trips have samples only after the first pong, and closed connections after the first close.
  const isKnown = (families: ReadonlyMap<string, Family>): boolean =>
    ['swarmlens_websocket_round_trip_seconds', 'swarmlens_websocket_closes_total'].every(
      (name) => families.get(name)?.samples.length !== 0,
    );
  {
    await using first = new SocketClient(app);
    await round(first, 0);
  }
  let before: readonly string[] = [];
  for (let socket = 0; socket < 20; socket += 1) {
    await using client = new SocketClient(app, { maxHz: socket + 1 });
    for (let turn = 0; turn < 50; turn += 1) await round(client, turn);
    if (socket === 0) before = series(await scrapedWhen(app, isKnown));
  }
  const after = await scrape(app);
  expect(series(after)).toEqual(before);
  const tools = new Set(after.get('swarmlens_mcp_calls_total')?.samples.map(({ labels }) => labels['tool']));
  expect([...tools].filter((tool) => tool?.startsWith('type '))).toEqual([]);
  expect(tools.size).toBeLessThan(10);
});

test('GET /metrics drops the series of a server that was removed from the configuration', async () => {
  const server = simulator('daa', { agents: 2 });
  await using app = await startApp([server]);
  const named = (families: ReadonlyMap<string, Family>): readonly string[] =>
    seriesOf(families).filter((series) => series.includes('"daa"'));
  expect(named(await scrape(app)).length).toBeGreaterThan(10);
  await app.applyConfig(testConfig([]));
  expect(named(await scrape(app))).toEqual([]);
});
