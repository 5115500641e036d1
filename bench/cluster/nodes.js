// What one swarmlens on one, two and three nodes costs, with the built program, a real Redis and a simulated server; and
// from it the constants that docs/scale.md is computed from.
// Usage: node bench/cluster/nodes.js [--seconds N] [--rounds N] [--write]   --write: into bench/results/scale.json
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { killFleet, withFleet } from './fleet.js';
import { redisCosts } from './redis-costs.js';
import { median } from '../support/statistics.js';

const RESULTS = fileURLToPath(new URL('../results/scale.json', import.meta.url));
const NODES = [1, 2, 3];
const CLIENTS_OF_A_NODE = 300;
const [FEW, MANY] = [100, 1_000];
const CROWD = { agents: 100, hz: 10 };
/** Agents change at every frame, so that each update has a change to be timed by. */
const FAST = { agents: 20, hz: 60 };
const WARM_UP_MS = 2_500;

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '7' },
    rounds: { type: 'string', default: '2' },
    write: { type: 'boolean', default: false },
  },
});
const seconds = Number(values.seconds);
const tell = (line) => process.stderr.write(`${line}\n`);
process.on('exit', killFleet);
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(130));

const machine = {
  date: new Date().toISOString().slice(0, 10),
  cpus: availableParallelism(),
  cpu: cpus()[0]?.model ?? 'unknown',
  node: process.versions.node,
  loadAverageBefore: round(loadavg()[0]),
};
const parts = await measureParts();
const rows = await measureRows();
const result = { machine, constants: constantsOf(parts, await redisCosts(parts.messageBytes)), rows };
const text = `${JSON.stringify(result, (_key, value) => (typeof value === 'number' ? round(value) : value), 2)}\n`;
if (values.write) {
  mkdirSync(fileURLToPath(new URL('../results/', import.meta.url)), { recursive: true });
  writeFileSync(RESULTS, text);
}
process.stdout.write(text);

/** One node holds the server and has no clients, the other one has few clients and then many. */
function measureParts() {
  return withFleet({ nodes: 2, ...CROWD }, async (fleet) => {
    await sleep(WARM_UP_MS);
    const idle = await fleet.run(seconds, []);
    const [nodeIdle, redisIdle] = [idle.nodeMicros[1] / idle.seconds, idle.redisMicros / idle.seconds];
    const first = await fleet.join(1, FEW, 'NORMAL');
    // Many before few: by then all code is compiled, and none of that is taken for the cost of a change.
    await sleep(2 * WARM_UP_MS);
    const [, nodeBytes] = (await fleet.run(0, [])).nodeBytes;
    const second = await fleet.join(1, MANY - FEW, 'NORMAL');
    await sleep(WARM_UP_MS);
    const many = await fleet.run(seconds, [first, second]);
    await fleet.leave(second);
    await sleep(WARM_UP_MS);
    const few = await fleet.run(seconds, [first]);
    tell(`parts: ${few.updates} and ${many.updates} updates`);
    const [fewRate, manyRate] = [few, many].map((run) => run.updates / run.seconds);
    const share = (run, node) => run.nodeMicros[node] / run.seconds;
    const deliverMicros = (share(many, 1) - share(few, 1)) / (manyRate - fewRate);
    const messages = few.messages + many.messages;
    const spanned = few.seconds + many.seconds;
    return {
      deliverMicros,
      nodeIdleMicros: nodeIdle,
      redisIdleMicros: redisIdle / 2,
      followMicros: (few.nodeMicros[1] - few.updates * deliverMicros - few.seconds * nodeIdle) / few.messages,
      watchMicros: (few.nodeMicros[0] + many.nodeMicros[0] - spanned * nodeIdle) / messages,
      redisMicros: (few.redisMicros + many.redisMicros - spanned * redisIdle) / messages,
      messageBytes: Math.round((few.messageBytes + many.messageBytes) / messages),
      updateBytes: Math.round(many.updateBytes / many.updates),
      clientBytes: Math.round((many.nodeBytes[1] - nodeBytes) / (MANY - FEW)),
      nodeBytes,
    };
  });
}

/** As many clients for each node, whatever their number; then a few that are timed at 60 Hz. */
async function measureRows() {
  const rounds = [];
  for (let number = 0; number < Number(values.rounds); number += 1) {
    for (const nodes of NODES) rounds.push({ nodes, ...(await crowdOf(nodes)) });
  }
  const rows = [];
  for (const nodes of NODES) {
    const own = rounds.filter((each) => each.nodes === nodes);
    const typical = (key) => median(own.map((each) => each[key]));
    const keys = ['cpuMicrosPerUpdate', 'updatesPerSecond', 'joinedPerSecond', 'redisShare'];
    rows.push({ nodes, ...Object.fromEntries(keys.map((key) => [key, typical(key)])), ...(await latencyOf(nodes)) });
  }
  return rows;
}

function crowdOf(nodes) {
  return withFleet({ nodes, ...CROWD }, async (fleet) => {
    const crowds = await Promise.all(fleet.nodes.map((_node, at) => fleet.join(at, CLIENTS_OF_A_NODE, 'NORMAL')));
    await sleep(WARM_UP_MS);
    const run = await fleet.run(seconds, crowds);
    const micros = run.nodeMicros.reduce((sum, one) => sum + one, 0);
    tell(`${nodes} nodes: ${(micros / run.updates).toFixed(1)} µs of CPU an update`);
    return {
      cpuMicrosPerUpdate: micros / run.updates,
      updatesPerSecond: run.updates / run.seconds,
      joinedPerSecond: (nodes * CLIENTS_OF_A_NODE * 1_000) / Math.max(...crowds.map(({ readyMs }) => readyMs)),
      redisShare: run.redisMicros / run.seconds / 1e6,
    };
  });
}

/** From a change in the server to the client, all by one clock: the wait for the poll and for the frame included. */
function latencyOf(nodes) {
  return withFleet({ nodes, ...FAST }, async (fleet) => {
    const crowds = [];
    for (const at of fleet.nodes.keys()) crowds.push(await fleet.join(at, 2, 'HIGH_FREQUENCY'));
    await sleep(WARM_UP_MS);
    await fleet.run(0, crowds);
    const { latencies } = await fleet.run(seconds, crowds);
    const [own, ...others] = latencies;
    tell(
      `${nodes} nodes: p99 ${own.p99Ms} ms, elsewhere ${others.map(({ p99Ms }) => `${p99Ms} ms`).join() || 'nobody'}`,
    );
    const worst = (key) => (others.length === 0 ? null : Math.max(...others.map((one) => one[key])));
    return { ownP50Ms: own.p50Ms, ownP99Ms: own.p99Ms, otherP50Ms: worst('p50Ms'), otherP99Ms: worst('p99Ms') };
  });
}

function constantsOf(parts, redis) {
  const by = (value, unit, how) => ({ value, unit, how });
  const crowd = `${CROWD.agents} agents, ${CROWD.hz} steps per second`;
  return {
    deliverMicros: by(
      parts.deliverMicros,
      'µs',
      `CPU of a node per update and additional client, ${FEW} to ${MANY} clients`,
    ),
    followMicros: by(parts.followMicros, 'µs', `CPU of a following node per change: parsed, applied, rendered once`),
    watchMicros: by(parts.watchMicros, 'µs', `CPU of the owner per change: polled, compared, written; ${crowd}`),
    redisChangeMicros: by(
      Math.max(0, parts.redisMicros - 3 * redis.handOutMicros),
      'µs',
      'CPU of Redis per change: script and publication, without the delivery to nodes',
    ),
    redisHandOutMicros: by(redis.handOutMicros, 'µs', 'CPU of Redis per message and additional node, 2 to 42 nodes'),
    redisNodeMicrosPerSecond: by(
      parts.redisIdleMicros,
      'µs',
      'CPU of Redis per second and additional node: heartbeats and leases',
    ),
    nodeIdleMicrosPerSecond: by(parts.nodeIdleMicros, 'µs', 'CPU of a node without clients per second'),
    messageBytes: by(parts.messageBytes, 'bytes', `size of a bus message; ${crowd}`),
    updateBytes: by(parts.updateBytes, 'bytes', `size of an uncompressed update; ${crowd}`),
    clientBytes: by(parts.clientBytes, 'bytes', `resident memory of a node per additional client, including garbage`),
    nodeBytes: by(parts.nodeBytes, 'bytes', `resident memory of a node with ${FEW} clients`),
  };
}

function round(value) {
  return Number.isFinite(value) ? Number(value.toPrecision(4)) : value;
}
