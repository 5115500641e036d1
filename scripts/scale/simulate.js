// What so many subscribers take, from what was measured on one machine: see docs/scale.md, which holds what this prints.
// Usage: node scripts/scale/simulate.js [--write]   --write: into docs/scale.md
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
    ['what', '>value', 'unit', 'how'],
    Object.entries(constants).map(([name, { value, unit, how }]) => [`\`${name}\``, String(value), unit, how]),
  ),
  table(
    [
      'nodes',
      '>CPU µs an update',
      '>updates/s',
      '>clients joined/s',
      '>own node p50 / p99 ms',
      '>other node p50 / p99 ms',
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
  table(['goal', 'measured', ''], goals()),
  '### Computed',
  ...RATES_HZ.flatMap((hz) => [
    `Each subscriber at ${hz} Hz:`,
    table(
      [
        'subscribers',
        'carried by',
        '>nodes',
        '>relays',
        '>Redis threads',
        '>busiest Redis thread',
        '>a node’s CPU',
        '>clients a node',
        'limited by',
        '>memory a node',
        '>out of a node',
        '>out of all nodes',
        '>out of Redis',
        '>p50 / p99 ms',
      ],
      SUBSCRIBERS.flatMap((subscribers) => describe(values, { subscribers, hz })).map(cellsOf),
    ),
  ]),
  '### Where one Redis thread ends',
  ...RATES_HZ.map((hz) => {
    const { nodes, subscribers, messages } = Deployment.limitOfPlain(values, hz);
    return `At ${hz} Hz, with ${ASSUMED.servers} servers that change ${times(changesOf(hz))} a second each: ${count(messages)} messages handed out a second, which is ${count(nodes)} nodes, or ${count(subscribers)} subscribers. ${heartbeats(nodes)}`;
  }),
].join('\n\n');

if (process.argv.includes('--write')) {
  const document = readFileSync(DOCUMENT, 'utf8');
  const [from, to] = [document.indexOf(BEGIN), document.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`${DOCUMENT} has no ${BEGIN} … ${END}`);
  writeFileSync(DOCUMENT, `${document.slice(0, from + BEGIN.length)}\n\n${text}\n\n${document.slice(to)}`);
}
console.log(text);

function times(number) {
  return number === 1 ? 'once' : `${number} times`;
}

/** What part of that goes into messages, and what into answering that Redis is there. */
function heartbeats(nodes) {
  const asking = nodes * values.redisNodeMicrosPerSecond;
  return `Of that thread’s work ${percent(asking / (ASSUMED.maxShare * 1e6))} is answering the nodes that it is there, and their leases.`;
}

/** What was to be reached on one machine. */
function goals() {
  const [one, ...more] = rows;
  const worst = (ratioOf, worse) => worse(...more.map(ratioOf));
  const cpu = worst((row) => row.cpuMicrosPerUpdate / one.cpuMicrosPerUpdate, Math.max);
  const updates = worst((row) => row.updatesPerSecond / row.nodes / one.updatesPerSecond, Math.min);
  const joined = worst((row) => row.joinedPerSecond / one.joinedPerSecond, Math.min);
  const laterMs = worst((row) => row.otherP99Ms - row.ownP99Ms, Math.max);
  const verdict = (isMet) => (isMet ? 'pass' : 'miss');
  return [
    ['CPU of an update, 2 and 3 nodes: at most 1.10 × one node’s', `${cpu.toFixed(2)} ×`, verdict(cpu <= 1.1)],
    [
      'updates a second of each node, 300 clients each: at least 0.90 × one node’s',
      `${updates.toFixed(2)} ×`,
      verdict(updates >= 0.9),
    ],
    [
      'clients that join in a second, all together: at least 0.90 × one node’s',
      `${joined.toFixed(2)} ×`,
      verdict(joined >= 0.9),
    ],
    [
      'p99 from a change to a client of another node: at most 10 ms above its own node’s',
      `${laterMs.toFixed(0)} ms above`,
      verdict(laterMs <= 10),
    ],
  ];
}

/** Other work on the machine makes all of it dearer. */
function verdictOnLoad() {
  return machine.loadAverageBefore <= machine.cpus / 2
    ? 'the machine was quiet.'
    : '**the machine was busy with other work: everything is dearer here than it is, and latencies say little.**';
}

function changesOf(hz) {
  return Math.min(hz, ASSUMED.changesPerSecond);
}

function cellsOf(row) {
  return [
    count(row.subscribers),
    row.carriedBy,
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
    row.p99Ms === null ? 'does not keep up' : pair(row.p50Ms, row.p99Ms),
  ];
}

/** Columns with a leading `>` are aligned to the right; as prettier has it. */
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
