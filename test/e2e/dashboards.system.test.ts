import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { mergeMetrics } from '../../src/cli/workers/merge-metrics.js';
import { simulator, startApp } from '../support/app.js';
import { type Family, parseMetrics, promtool, hasPromtool, promtoolHint } from '../support/prometheus.js';

const DEPLOY = new URL('../../deploy/', import.meta.url);

const PANEL = z.looseObject({
  id: z.int(),
  type: z.string(),
  title: z.string().min(1),
  gridPos: z.object({ h: z.int(), w: z.int(), x: z.int(), y: z.int() }),
  targets: z.array(z.looseObject({ expr: z.string().min(1), legendFormat: z.string() })).optional(),
});
const DASHBOARD = z.looseObject({
  uid: z.literal('swarmlens'),
  title: z.string(),
  panels: z.array(PANEL),
  templating: z.object({ list: z.array(z.looseObject({ name: z.string(), definition: z.string().optional() })) }),
  annotations: z.object({ list: z.array(z.looseObject({ expr: z.string() })) }),
});
const RULES = z.object({
  groups: z.array(
    z.object({ name: z.string(), rules: z.array(z.looseObject({ alert: z.string(), expr: z.string() })) }),
  ),
});

async function text(path: string): Promise<string> {
  return await readFile(new URL(path, DEPLOY), 'utf8');
}

/** Returns the names of the swarmlens and process metrics in a query. */
function metricsOf(expr: string): readonly string[] {
  return [...expr.matchAll(/\b(?:swarmlens|process)_\w+/g)].map(([name]) => name);
}

let families: ReadonlyMap<string, Family>;

beforeAll(async () => {
  await using app = await startApp([simulator('ruv-swarm', { agents: 3 })]);
  const own = await (await fetch(`${app.url}/metrics`)).text();
  // Two workers with equal state export the same samples.
  families = parseMetrics(mergeMetrics([own, own]));
});

afterAll(() => {
  families = new Map();
});

/** Returns whether a metric exists. The samples of a histogram have the name of the histogram and a suffix. */
function isExported(name: string): boolean {
  const histogram = families.get(name.replace(/_(bucket|sum|count)$/, ''));
  return histogram?.type === 'histogram' ? histogram.name !== name : families.has(name);
}

function unknownMetrics(exprs: readonly string[]): readonly string[] {
  return exprs.flatMap(metricsOf).filter((name) => !isExported(name));
}

test('dashboard and alerts query only metrics that a running server exports', async () => {
  const dashboard = DASHBOARD.parse(JSON.parse(await text('grafana/swarmlens.json')));
  const queries = [
    ...dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)),
    ...dashboard.templating.list.flatMap(({ definition }) => definition ?? []),
    ...dashboard.annotations.list.map(({ expr }) => expr),
  ];
  const alerts = RULES.parse(parse(await text('prometheus/alerts.yml')));
  const rules = alerts.groups.flatMap((group) => group.rules.map(({ expr }) => expr));
  expect(unknownMetrics(queries)).toEqual([]);
  expect(unknownMetrics(rules)).toEqual([]);
  expect(new Set(queries.flatMap(metricsOf)).size).toBeGreaterThan(30);
  expect(unknownMetrics(['rate(swarmlens_no_such_total[5m])', 'swarmlens_tick_to_client_seconds'])).toHaveLength(2);
});

test('dashboard contains every metric that a running server exports', async () => {
  const dashboard = await text('grafana/swarmlens.json');
  expect([...families.keys()].filter((name) => !dashboard.includes(name))).toEqual([]);
});

test('dashboard and alerts select only by labels that their metrics have', async () => {
  const dashboard = DASHBOARD.parse(JSON.parse(await text('grafana/swarmlens.json')));
  const queries = dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
  const alerts = RULES.parse(parse(await text('prometheus/alerts.yml')));
  const exprs = [...queries, ...alerts.groups.flatMap((group) => group.rules.map(({ expr }) => expr))];
  const unknown = exprs.flatMap((expr) =>
    [...expr.matchAll(/\b(swarmlens_\w+)\{([^}]*)\}/g)].flatMap(([, name = '', selector = '']) => {
      const samples = (families.get(name) ?? families.get(name.replace(/_(bucket|sum|count)$/, '')))?.samples ?? [];
      // The labels of a metric without samples are unknown.
      if (samples.length === 0) return [];
      const labels = new Set(['instance', ...samples.flatMap((sample) => Object.keys(sample.labels))]);
      return [...selector.matchAll(/(\w+)(?:=~|!~|!=|=)"/g)].flatMap(([, label = '']) =>
        labels.has(label) ? [] : [`${name}: ${label}`],
      );
    }),
  );
  expect(unknown).toEqual([]);
});

test('dashboard panels do not overlap or exceed the grid', async () => {
  const { panels } = DASHBOARD.parse(JSON.parse(await text('grafana/swarmlens.json')));
  const taken = new Set<string>();
  for (const { title, gridPos } of panels) {
    expect(gridPos.x + gridPos.w, title).toBeLessThanOrEqual(24);
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1) {
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
        expect(taken.has(`${x} ${y}`), `${title} at ${x} ${y}`).toBe(false);
        taken.add(`${x} ${y}`);
      }
    }
  }
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
});

test.skipIf(!hasPromtool)(
  `promtool accepts the configuration and the alerts, and their tests pass${promtoolHint}`,
  () => {
    const path = (name: string): string => fileURLToPath(new URL(`prometheus/${name}`, DEPLOY));
    expect(promtool(['check', 'rules', path('alerts.yml')])).toMatchObject({
      code: 0,
      output: expect.stringContaining('SUCCESS'),
    });
    expect(promtool(['check', 'config', path('prometheus.yml')])).toMatchObject({ code: 0 });
    const tested = promtool(['test', 'rules', path('alerts.test.yml')]);
    expect(tested, tested.output).toMatchObject({ code: 0 });
  },
);

test.skipIf(!hasPromtool)(`promtool accepts every query of the dashboard${promtoolHint}`, async () => {
  const { panels } = DASHBOARD.parse(JSON.parse(await text('grafana/swarmlens.json')));
  const exprs = panels.flatMap(({ targets = [] }) =>
    targets.map(({ expr }) => expr.replaceAll('$__rate_interval', '5m')),
  );
  const rules = exprs.map((expr, index) => ({ record: `query:${index}`, expr }));
  const directory = await mkdtemp(join(tmpdir(), 'swarmlens-test-'));
  try {
    const file = join(directory, 'queries.yml');
    await writeFile(file, stringify({ groups: [{ name: 'dashboard', rules }] }));
    expect(promtool(['check', 'rules', file])).toMatchObject({ code: 0 });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});

test('dashboard counts state that several workers or nodes share only once', async (context) => {
  if (!hasPromtool) context.skip(promtoolHint);
  const { panels } = DASHBOARD.parse(JSON.parse(await text('grafana/swarmlens.json')));
  const [agents] = [...families.values()].filter(({ name }) => name === 'swarmlens_agents');
  const shown = (agents?.samples ?? []).filter(({ labels }) => labels['worker'] === '1');
  const count = shown.reduce((sum, { value }) => sum + value, 0);
  expect(count).toBeGreaterThan(0);
  const expected: Readonly<Record<string, number>> = {
    swarmlens_agents: count,
    swarmlens_agents_by_type: count,
    swarmlens_stale_agents: 0,
    swarmlens_server_status: 1,
    swarmlens_server_stale_seconds: 0,
    swarmlens_breaker_state: 0,
  };
  const exprs = panels
    .flatMap(({ targets = [] }) => targets.map(({ expr }) => expr.replaceAll(/=~"\$\w+"/g, '=~".*"')))
    .filter((expr) => metricsOf(expr).some((name) => name in expected) && !expr.includes('!="online"'));
  expect(new Set(exprs.flatMap(metricsOf))).toEqual(new Set(Object.keys(expected)));
  const series = ['a', 'b'].flatMap((instance) =>
    [...families.values()].flatMap(({ name, samples }) =>
      samples.flatMap(({ labels, value }) => {
        const pairs = Object.entries({ ...labels, instance }).map((pair) => pair.map((one) => JSON.stringify(one)));
        const text = pairs.map(([label = '', named = '']) => `${label.slice(1, -1)}=${named}`).join(',');
        return name in expected ? [{ series: `${name}{${text}}`, values: `${value}` }] : [];
      }),
    ),
  );
  const tests = exprs.map((expr) => ({
    expr: `sum(${expr})`,
    eval_time: '0m',
    exp_samples: [{ labels: '{}', value: metricsOf(expr).map((name) => expected[name])[0] }],
  }));
  const directory = await mkdtemp(join(tmpdir(), 'swarmlens-test-'));
  try {
    const file = join(directory, 'shared.yml');
    await writeFile(file, stringify({ rule_files: [], tests: [{ input_series: series, promql_expr_test: tests }] }));
    const { code, output } = promtool(['test', 'rules', file]);
    expect(code, output).toBe(0);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});

test('dashboard names the worker in every legend that is not aggregated over workers', async () => {
  const { panels } = DASHBOARD.parse(JSON.parse(await text('grafana/swarmlens.json')));
  const legends = panels
    .flatMap(({ targets = [] }) => targets)
    .filter(({ expr }) => !/\b(sum|max|min)\b/.test(expr))
    .map(({ legendFormat }) => legendFormat);
  expect(legends.length).toBeGreaterThan(0);
  expect(legends.filter((legend) => !legend.includes('{{worker}}'))).toEqual([]);
});

test('alerts have at least one test each', async () => {
  const alerts = RULES.parse(parse(await text('prometheus/alerts.yml')));
  const tests = await text('prometheus/alerts.test.yml');
  const untested = alerts.groups.flatMap(({ rules }) =>
    rules.filter(({ alert }) => !tests.includes(`alertname: ${alert}`)),
  );
  expect(untested.map(({ alert }) => alert)).toEqual([]);
});

test('Grafana provisioning files are valid YAML with the expected root keys', async () => {
  expect(parse(await text('grafana/provisioning/datasources/prometheus.yml'))).toMatchObject({
    datasources: [{ type: 'prometheus' }],
  });
  expect(parse(await text('grafana/provisioning/dashboards/swarmlens.yml'))).toMatchObject({
    providers: [{ type: 'file' }],
  });
});
