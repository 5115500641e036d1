// Formats the results as Markdown.
import { evaluateGoals } from './goals.js';
import { median } from './support/statistics.js';

export function markdown({ machine, results, failures }) {
  return [
    headline(machine),
    section('Goals', goals(results)),
    section('Cost of one more subscriber', marginal(results.marginal)),
    section('One core', oneCore(results.oneCore)),
    section('Simultaneous subscriptions', joining(results.joining)),
    section('Number of agents', growth(results.growth)),
    section('Authentication and access', access(results.access)),
    section('Memory of a connection', memory(results.memory)),
    section('Comparison', matrix(results.matrix)),
    failures.length === 0
      ? ''
      : `## Failed\n\n${failures.map((failure) => `- ${failure.title}: ${failure.message}`).join('\n')}`,
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

function headline({ date, cpus, cpu, node, system, commit, loadAverage }) {
  const parts = [date, `${cpus} × ${cpu}`, `Node.js ${node}`, system, `load average before ${loadAverage.toFixed(1)}`];
  return [...parts, ...(commit === null ? [] : [`commit ${commit}`])].join(', ');
}

function section(title, table) {
  return table === null ? '' : `## ${title}\n\n${table}`;
}

/** Formats a table. Aligns columns with a leading `>` to the right. */
function formatTable(columns, rows) {
  if (rows.length === 0) return null;
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [
    line(columns.map((column) => column.replace(/^>/, ''))),
    line(columns.map((column) => (column.startsWith('>') ? '---:' : '---'))),
    ...rows.map(line),
  ].join('\n');
}

function goals(results) {
  const rows = evaluateGoals(results).map(({ name, goal, measured, met }) =>
    measured ? [name, goal, measured, met ? 'pass' : 'miss'] : [name, goal, '', 'not measured'],
  );
  return formatTable(['case', 'goal', 'measured', ''], rows);
}

function marginal(rows = []) {
  return formatTable(
    [
      'server',
      'filters',
      'compressed',
      '>CPU µs per additional update',
      '>× raw',
      '>bytes',
      '>CPU µs at 300',
      '>at 60',
    ],
    rows
      .filter(({ rounds }) => rounds.length > 0)
      .map((row) => [
        row.contender,
        row.filters,
        compression(row),
        row.marginal.toFixed(1),
        row.ratio == null ? '' : row.ratio.toFixed(2),
        row.rounds.at(-1).many.bytesPerUpdate.toFixed(0),
        median(row.rounds.map(({ many }) => many.cpuMicrosPerUpdate)).toFixed(1),
        median(row.rounds.map(({ few }) => few.cpuMicrosPerUpdate)).toFixed(1),
      ]),
  );
}

function oneCore(rows = []) {
  return formatTable(
    ['server', 'compressed', '>delivered', '>p50 ms', '>p99 ms', '>max ms', '>CPU of the core', 'limited by'],
    rows
      .filter(({ rounds }) => rounds.length > 0)
      .map(({ contender, compressed, rounds }) => [
        contender,
        compression({ compressed, extensions: rounds[0].extensions }),
        `${(median(rounds.map(({ updates, due }) => updates / due)) * 100).toFixed(2)} %`,
        ...['p50Ms', 'p99Ms', 'maxMs'].map((key) => fixed(median(rounds.map((round) => round[key])), 1)),
        `${(median(rounds.map(({ cpuShare }) => cpuShare)) * 100).toFixed(0)} %`,
        limit(rounds.at(-1)),
      ]),
  );
}

function joining(rows = []) {
  return formatTable(
    ['server', 'filters', '>1,000 connections ms', '>1,000 snapshots ms', '>second time ms'],
    rows.map((row) => [
      row.contender,
      row.filters,
      ...[row.connectMs, row.firstMs, row.againMs].map((ms) => ms.toFixed(0)),
    ]),
  );
}

function growth(rows = []) {
  const sizes = rows[0]?.sizes.map(({ agents }) => agents) ?? [];
  return formatTable(
    ['CPU µs per update', ...sizes.map((agents) => `>${agents} agents`)],
    rows.map((row) => [row.name, ...row.sizes.map((size) => fixed(size.cpuMicrosPerUpdate, 1))]),
  );
}

function access([row] = []) {
  if (row === undefined) return null;
  const kinds = [
    ['without authentication', 'without', 'open'],
    ['static token, restricted scope', 'within', 'restricted'],
  ];
  return formatTable(
    ['1,000 equal subscribers', '>1,000 connections ms', '>CPU µs per update', '>p99 ms', '>bytes', '>ratio'],
    kinds.map(([name, variant, server]) => {
      const rounds = row.rounds.map((round) => round[variant]);
      const typical = (key, digits) => fixed(median(rounds.map((round) => round[key])), digits);
      return [
        name,
        fixed(row.connectMs[server], 0),
        typical('cpuMicrosPerUpdate', 2),
        typical('p99Ms', 1),
        typical('bytesPerUpdate', 0),
        variant === 'within' ? fixed(row.ratio, 3) : '',
      ];
    }),
  );
}

function memory(rows = []) {
  return formatTable(
    ['server', 'compressed', '>idle KB', '>subscribed KB', '>while sending KB', '>JavaScript heap and buffers KB'],
    rows.map((row) => [
      row.contender,
      compression(row),
      ...[row.idleKB, row.subscribedKB, row.sendingKB, row.subscribedHeapKB].map((kilobytes) => kilobytes.toFixed(0)),
    ]),
  );
}

function matrix(rows = []) {
  return formatTable(
    [
      'filters',
      'compressed',
      '>Hz',
      '>subscribers',
      '>changed',
      'server',
      '>CPU µs per update',
      '>× raw',
      '>updates/s',
      '>of',
      '>p50 ms',
      '>p99 ms',
      '>bytes',
      '>RSS KB per connection',
      'limited by',
    ],
    rows.map((row) => {
      const { hz, subscribers, changed, contender, filters } = row;
      const load = [filters, compression(row), hz, subscribers, changed, contender];
      if (row.failure !== undefined) return [...load, row.failure, '', '', hz * subscribers, '', '', '', '', ''];
      return [
        ...load,
        row.cpuMicrosPerUpdate.toFixed(1),
        fixed(row.ratio, 2),
        row.updatesPerSecond.toFixed(0),
        hz * subscribers,
        fixed(row.p50Ms, 1),
        fixed(row.p99Ms, 1),
        row.bytesPerUpdate.toFixed(0),
        fixed(row.kilobytesPerConnection, 0),
        limit(row),
      ];
    }),
  );
}

function compression({ compressed, extensions }) {
  if (!compressed) return 'no';
  return extensions === '' ? 'refused' : 'yes';
}

/** Names the processes that used a whole core. */
function limit({ cpuShare, clientCpuShare }) {
  const limits = [];
  if (cpuShare > 0.95) limits.push('server');
  if (clientCpuShare > 0.9) limits.push('client');
  return limits.join(', ');
}

function fixed(value, digits) {
  return value == null ? '' : value.toFixed(digits);
}
