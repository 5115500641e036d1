// Measures a cluster of one, two and three nodes with a real Redis and a simulated server, and derives the constants of
// docs/scale.md.
// Usage: node bench/cluster/nodes.js [--seconds N] [--rounds N] [--write]   --write updates bench/results/scale.json
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
const CLIENTS_PER_NODE = 300;
const [FEW, MANY] = [100, 1_000];
const CROWD = { agents: 100, hz: 10 };
/** Load whose agents change in every frame, so that the latency of each update can be measured. */
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
const log = (line) => process.stderr.write(`${line}\n`);
process.on('exit', killFleet);
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(130));

const machine = {
  date: new Date().toISOString().slice(0, 10),
  cpus: availableParallelism(),
  cpu: cpus()[0]?.model ?? 'unknown',
  node: process.versions.node,
  loadAverageBefore: round(loadavg()[0]),
};
const costs = await measureCosts();
const rows = await measureRows();
const result = { machine, constants: toConstants(costs, await redisCosts(costs.messageBytes)), rows };
const text = `${JSON.stringify(result, (_key, value) => (typeof value === 'number' ? round(value) : value), 2)}\n`;
if (values.write) {
  mkdirSync(fileURLToPath(new URL('../results/', import.meta.url)), { recursive: true });
  writeFileSync(RESULTS, text);
}
process.stdout.write(text);

/** Measures two nodes: the owner has no clients, and the other one has many clients and then few. */
function measureCosts() {
  return withFleet({ nodes: 2, ...CROWD }, async (fleet) => {
    await sleep(WARM_UP_MS);
    const idle = await fleet.run(seconds, []);
    const [nodeIdle, redisIdle] = [idle.nodeMicros[1] / idle.seconds, idle.redisMicros / idle.seconds];
    const first = await fleet.join(1, FEW, 'NORMAL');
    // Measures many clients before few, so that the compilation of code does not count as the cost of a change.
    await sleep(2 * WARM_UP_MS);
    const [, nodeBytes] = (await fleet.run(0, [])).nodeBytes;
    const second = await fleet.join(1, MANY - FEW, 'NORMAL');
    await sleep(WARM_UP_MS);
    const many = await fleet.run(seconds, [first, second]);
    await fleet.leave(second);
    await sleep(WARM_UP_MS);
    const few = await fleet.run(seconds, [first]);
    log(`costs: ${few.updates} and ${many.updates} updates`);
    const [fewRate, manyRate] = [few, many].map((run) => run.updates / run.seconds);
    const share = (run, node) => run.nodeMicros[node] / run.seconds;
    const deliverMicros = (share(many, 1) - share(few, 1)) / (manyRate - fewRate);
    const messages = few.messages + many.messages;
    const totalSeconds = few.seconds + many.seconds;
    return {
      deliverMicros,
      nodeIdleMicros: nodeIdle,
      redisIdleMicros: redisIdle / 2,
      followMicros: (few.nodeMicros[1] - few.updates * deliverMicros - few.seconds * nodeIdle) / few.messages,
      watchMicros: (few.nodeMicros[0] + many.nodeMicros[0] - totalSeconds * nodeIdle) / messages,
      redisMicros: (few.redisMicros + many.redisMicros - totalSeconds * redisIdle) / messages,
      messageBytes: Math.round((few.messageBytes + many.messageBytes) / messages),
      updateBytes: Math.round(many.updateBytes / many.updates),
      clientBytes: Math.round((many.nodeBytes[1] - nodeBytes) / (MANY - FEW)),
      nodeBytes,
    };
  });
}

/** Measures each cluster size with the same number of clients per node, then the latency of a few clients at 60 Hz. */
async function measureRows() {
  const rounds = [];
  for (let number = 0; number < Number(values.rounds); number += 1) {
    for (const nodes of NODES) rounds.push({ nodes, ...(await measureCrowd(nodes)) });
  }
  const rows = [];
  for (const nodes of NODES) {
    const own = rounds.filter((entry) => entry.nodes === nodes);
    const typical = (key) => median(own.map((entry) => entry[key]));
    const keys = ['cpuMicrosPerUpdate', 'updatesPerSecond', 'joinedPerSecond', 'redisShare'];
    rows.push({
      nodes,
      ...Object.fromEntries(keys.map((key) => [key, typical(key)])),
      ...(await measureLatency(nodes)),
    });
  }
  return rows;
}

function measureCrowd(nodes) {
  return withFleet({ nodes, ...CROWD }, async (fleet) => {
    const crowds = await Promise.all(fleet.nodes.map((_node, at) => fleet.join(at, CLIENTS_PER_NODE, 'NORMAL')));
    await sleep(WARM_UP_MS);
    const run = await fleet.run(seconds, crowds);
    const micros = run.nodeMicros.reduce((sum, value) => sum + value, 0);
    log(`${nodes} nodes: ${(micros / run.updates).toFixed(1)} µs of CPU per update`);
    return {
      cpuMicrosPerUpdate: micros / run.updates,
      updatesPerSecond: run.updates / run.seconds,
      joinedPerSecond: (nodes * CLIENTS_PER_NODE * 1_000) / Math.max(...crowds.map(({ readyMs }) => readyMs)),
      redisShare: run.redisMicros / run.seconds / 1e6,
    };
  });
}

/** Measures the latency from a change in the server to the client, including the waits for poll and tick. */
function measureLatency(nodes) {
  return withFleet({ nodes, ...FAST }, async (fleet) => {
    const crowds = [];
    for (const at of fleet.nodes.keys()) crowds.push(await fleet.join(at, 2, 'HIGH_FREQUENCY'));
    await sleep(WARM_UP_MS);
    await fleet.run(0, crowds);
    const { latencies } = await fleet.run(seconds, crowds);
    const [own, ...others] = latencies;
    log(
      `${nodes} nodes: p99 ${own.p99Ms} ms, other nodes ${others.map(({ p99Ms }) => `${p99Ms} ms`).join() || 'none'}`,
    );
    const worst = (key) => (others.length === 0 ? null : Math.max(...others.map((entry) => entry[key])));
    return { ownP50Ms: own.p50Ms, ownP99Ms: own.p99Ms, otherP50Ms: worst('p50Ms'), otherP99Ms: worst('p99Ms') };
  });
}

function toConstants(costs, redis) {
  const by = (value, unit, how) => ({ value, unit, how });
  const crowd = `${CROWD.agents} agents, ${CROWD.hz} steps per second`;
  return {
    deliverMicros: by(
      costs.deliverMicros,
      'µs',
      `CPU of a node per update and additional client, ${FEW} to ${MANY} clients`,
    ),
    followMicros: by(costs.followMicros, 'µs', `CPU of a following node per change: parsed, applied, rendered once`),
    watchMicros: by(costs.watchMicros, 'µs', `CPU of the owner per change: polled, compared, written; ${crowd}`),
    redisChangeMicros: by(
      Math.max(0, costs.redisMicros - 3 * redis.handOutMicros),
      'µs',
      'CPU of Redis per change: script and publication, without the delivery to nodes',
    ),
    redisHandOutMicros: by(redis.handOutMicros, 'µs', 'CPU of Redis per message and additional node, 2 to 42 nodes'),
    redisNodeMicrosPerSecond: by(
      costs.redisIdleMicros,
      'µs',
      'CPU of Redis per second and additional node: heartbeats and leases',
    ),
    nodeIdleMicrosPerSecond: by(costs.nodeIdleMicros, 'µs', 'CPU of a node without clients per second'),
    messageBytes: by(costs.messageBytes, 'bytes', `size of a bus message; ${crowd}`),
    updateBytes: by(costs.updateBytes, 'bytes', `size of an uncompressed update; ${crowd}`),
    clientBytes: by(costs.clientBytes, 'bytes', `resident memory of a node per additional client, including garbage`),
    nodeBytes: by(costs.nodeBytes, 'bytes', `resident memory of a node with ${FEW} clients`),
  };
}

function round(value) {
  return Number.isFinite(value) ? Number(value.toPrecision(4)) : value;
}
