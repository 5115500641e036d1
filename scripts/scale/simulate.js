// Computes the deployment for many subscribers from measurements of one machine and prints the tables of docs/scale.md.
// Usage: node scripts/scale/simulate.js [--write]   --write updates docs/scale.md
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ASSUMED, describe, Deployment } from './deployment.js';

const MEASURED = fileURLToPath(new URL('../../bench/results/scale.json', import.meta.url));
const DOCUMENT = fileURLToPath(new URL('../../docs/scale.md', import.meta.url));
const [BEGIN, END] = ['<!-- npm run simulate:scale -->', '<!-- end -->'];
const SUBSCRIBERS = [10_000, 1_000_000, 100_000_000];
const RATES_HZ = [1, 10];

const { machine, constants, rows } = JSON.parse(readFileSync(MEASURED, 'utf8'));
const values = Object.fromEntries(Object.entries(constants).map(([name, { value }]) => [name, value]));
const text = [
  '### Measured',
  `${machine.date}, ${machine.cpus} × ${machine.cpu}, Node.js ${machine.node}, load average before ${machine.loadAverageBefore}: ${verdictOnLoad()}`,
  table(
    ['constant', '>value', 'unit', 'measurement'],
    Object.entries(constants).map(([name, { value, unit, how }]) => [`\`${name}\``, String(value), unit, how]),
  ),
  table(
    [
      'nodes',
      '>CPU µs per update',
      '>updates/s',
      '>clients joined/s',
      '>p50 / p99 ms, owner',
      '>p50 / p99 ms, other nodes',
    ],
    rows.map((row) => [
      String(row.nodes),
      String(row.cpuMicrosPerUpdate),
      row.updatesPerSecond.toFixed(0),
      row.joinedPerSecond.toFixed(0),
      pair(row.ownP50Ms, row.ownP99Ms),
      pair(row.otherP50Ms, row.otherP99Ms),
    ]),
  ),
  table(['goal', 'measured', 'result'], goals()),
  '### Computed',
  ...RATES_HZ.flatMap((hz) => [
    `Subscribers at ${hz} Hz:`,
    table(
      [
        'subscribers',
        'distribution',
        '>nodes',
        '>relays',
        '>Redis threads',
        '>busiest Redis thread',
        '>CPU per node',
        '>clients per node',
        'limited by',
        '>memory per node',
        '>traffic per node',
        '>traffic of all nodes',
        '>traffic of Redis',
        '>p50 / p99 ms',
      ],
      SUBSCRIBERS.flatMap((subscribers) => describe(values, { subscribers, hz })).map(cellsOf),
    ),
  ]),
  '### Limit of one Redis thread',
  ...RATES_HZ.map((hz) => {
    const { nodes, subscribers, messages } = Deployment.limitOfPlain(values, hz);
    return `At ${hz} Hz, with ${ASSUMED.servers} servers that each change ${times(changesOf(hz))} per second, one Redis thread serves ${count(nodes)} nodes or ${count(subscribers)} subscribers, and delivers ${count(messages)} messages per second. ${heartbeats(nodes)}`;
  }),
].join('\n\n');

if (process.argv.includes('--write')) {
  const document = readFileSync(DOCUMENT, 'utf8');
  const [from, to] = [document.indexOf(BEGIN), document.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`${DOCUMENT} does not contain ${BEGIN} … ${END}`);
  writeFileSync(DOCUMENT, `${document.slice(0, from + BEGIN.length)}\n\n${text}\n\n${document.slice(to)}`);
}
console.log(text);

function times(number) {
  return number === 1 ? 'once' : `${number} times`;
}

/** Returns a sentence with the share of heartbeats and leases in the work of the thread. */
function heartbeats(nodes) {
  const heartbeatMicros = nodes * values.redisNodeMicrosPerSecond;
  return `Heartbeats and leases take ${percent(heartbeatMicros / (ASSUMED.maxShare * 1e6))} of its work.`;
}

/** Returns the goals for one machine with the measured results. */
function goals() {
  const [one, ...more] = rows;
  const worst = (ratioOf, worse) => worse(...more.map(ratioOf));
  const cpu = worst((row) => row.cpuMicrosPerUpdate / one.cpuMicrosPerUpdate, Math.max);
  const updates = worst((row) => row.updatesPerSecond / row.nodes / one.updatesPerSecond, Math.min);
  const joined = worst((row) => row.joinedPerSecond / one.joinedPerSecond, Math.min);
  const laterMs = worst((row) => row.otherP99Ms - row.ownP99Ms, Math.max);
  const verdict = (isMet) => (isMet ? 'pass' : 'miss');
  return [
    ['CPU per update with 2 and 3 nodes: at most 1.10 × one node', `${cpu.toFixed(2)} ×`, verdict(cpu <= 1.1)],
    [
      'updates per second and node, 300 clients each: at least 0.90 × one node',
      `${updates.toFixed(2)} ×`,
      verdict(updates >= 0.9),
    ],
    [
      'clients joined per second, all nodes: at least 0.90 × one node',
      `${joined.toFixed(2)} ×`,
      verdict(joined >= 0.9),
    ],
    [
      'p99 from a change to clients of other nodes: at most 10 ms above the owner',
      `${laterMs.toFixed(0)} ms above`,
      verdict(laterMs <= 10),
    ],
  ];
}

/** Returns a warning if other work on the machine distorted the measurements. */
function verdictOnLoad() {
  return machine.loadAverageBefore <= machine.cpus / 2
    ? 'no other work.'
    : '**other work ran on the machine. The costs are too high, and the latencies are not meaningful.**';
}

function changesOf(hz) {
  return Math.min(hz, ASSUMED.changesPerSecond);
}

function cellsOf(row) {
  return [
    count(row.subscribers),
    row.distribution,
    count(row.nodes),
    row.relays === 0 ? '' : count(row.relays),
    count(row.redisThreads),
    percent(row.redisShare),
    percent(row.nodeShare),
    count(row.clients),
    row.limitedBy,
    bytes(row.nodeBytes),
    bits(row.nodeBitsPerSecond),
    bits(row.nodeBitsPerSecond * row.nodes),
    bits(row.redisBitsPerSecond),
    row.p99Ms === null ? 'overloaded' : pair(row.p50Ms, row.p99Ms),
  ];
}

/** Formats a Markdown table like Prettier. Columns with a leading `>` are aligned to the right. */
function table(columns, lines) {
  const names = columns.map((column) => column.replace(/^>/, ''));
  const isRight = columns.map((column) => column.startsWith('>'));
  const widths = names.map((name, at) => Math.max(3, name.length, ...lines.map((line) => line[at].length)));
  const row = (cells) =>
    `| ${cells.map((cell, at) => (isRight[at] ? cell.padStart(widths[at]) : cell.padEnd(widths[at]))).join(' | ')} |`;
  const rule = widths.map((width, at) => (isRight[at] ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width)));
  return [row(names), row(rule), ...lines.map(row)].join('\n');
}

function pair(p50Ms, p99Ms) {
  return p99Ms === null ? '' : `${Math.round(p50Ms)} / ${Math.round(p99Ms)}`;
}

function percent(share) {
  return `${Math.round(share * 100)} %`;
}

function count(number) {
  return Math.round(number).toLocaleString('en-US');
}

function bytes(number) {
  return `${Math.round(number / 2 ** 20)} MiB`;
}

function bits(perSecond) {
  const [unit, size] = [
    ['Tbit/s', 1e12],
    ['Gbit/s', 1e9],
    ['Mbit/s', 1e6],
  ].find(([, least]) => perSecond >= least) ?? ['kbit/s', 1e3];
  return `${Number((perSecond / size).toPrecision(2))} ${unit}`;
}
