// Runs the cluster tests that take too long for `npm test`. Nodes join and leave a Redis a thousand times and leave nothing there
// (see join-and-leave.ts). All faults occur while clients are connected, a client does not read, and nodes are killed (see
// fleet/fleet-soak.ts).
// Usage: node test/cluster/soak.js [--only leave,faults,stalled,takeover] [--rounds N]   (default: all, 1000 rounds)
// Exits with code 1 if a run finds a problem.
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { runnerImport } from 'vite';

const SOAKS = { leave: soakLeaving, faults: soakFaults, stalled: soakStalled, takeover: soakTakeover };
const { values } = parseArgs({
  options: {
    only: { type: 'string', default: Object.keys(SOAKS).join() },
    rounds: { type: 'string', default: '1000' },
  },
});
const options = { configFile: false, oxc: { target: 'es2022' } };
const load = async (name) => (await runnerImport(fileURLToPath(new URL(name, import.meta.url)), options)).module;

const problems = [];
for (const name of values.only.split(',')) {
  const soak = SOAKS[name];
  if (soak === undefined)
    throw new Error(`Unknown soak "${name}" in --only. Known soaks: ${Object.keys(SOAKS).join(', ')}.`);
  problems.push(...(await soak()));
}
console.log(problems.length === 0 ? 'no problems' : `problems:\n${problems.join('\n')}`);
process.exitCode = problems.length === 0 ? 0 : 1;

async function soakLeaving() {
  const { RedisServer } = await load('../support/redis-server.ts');
  const { joinAndLeave } = await load('join-and-leave.ts');
  const redis = await RedisServer.start();
  try {
    const startMs = performance.now();
    const left = await joinAndLeave(redis.look, redis.url, Number(values.rounds));
    const seconds = ((performance.now() - startMs) / 1_000).toFixed(1);
    console.log(`${values.rounds} rounds in ${seconds} s: ${JSON.stringify({ left })}`);
    const isNothing = Object.values(left).every((one) => Number(one.length ?? one) === 0);
    return isNothing ? [] : ['Redis still contains state of nodes that have left'];
  } finally {
    await redis[Symbol.asyncDispose]();
  }
}

async function soakFaults() {
  return (await load('fleet/fleet-soak.ts')).soakFaults((line) => console.log(line));
}

async function soakTakeover() {
  return (await load('fleet/fleet-soak.ts')).soakTakeover((line) => console.log(line));
}

async function soakStalled() {
  return (await load('fleet/fleet-soak.ts')).soakStalled((line) => console.log(line));
}
