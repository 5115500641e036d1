// What takes too long for `npm test`: nodes join a Redis and leave it again, a thousand times, and nothing is left there (see
// join-and-leave.ts); everything that can fail does so while clients look on, and a client does not read (see fleet-soak.ts).
// Usage: node test/cluster/soak.js [--only leave,faults,stalled] [--rounds N]   All, and 1000 rounds, unless told. Ends with 1 when
// anything is not as it should be.
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { runnerImport } from 'vite';

const SOAKS = { leave: soakLeaving, faults: soakFaults, stalled: soakStalled };
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
  if (soak === undefined) throw new Error(`--only: "${name}" is none of ${Object.keys(SOAKS).join(', ')}`);
  problems.push(...(await soak()));
}
console.log(problems.length === 0 ? 'no problem' : `problems:\n${problems.join('\n')}`);
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
    return isNothing ? [] : ['something is left behind'];
  } finally {
    await redis[Symbol.asyncDispose]();
  }
}

async function soakFaults() {
  return (await load('fleet-soak.ts')).soakFaults((line) => console.log(line));
}

async function soakStalled() {
  return (await load('fleet-soak.ts')).soakStalled((line) => console.log(line));
}
