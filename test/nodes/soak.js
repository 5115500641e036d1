// Nodes join a Redis and leave it again, a thousand times; then a look at what is left there: see join-and-leave.ts.
// Usage: node test/nodes/soak.js [--rounds N]   1000 unless told. Ends with 1 when anything is left.
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { runnerImport } from 'vite';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '1000' } } });
const options = { configFile: false, oxc: { target: 'es2022' } };
const load = async (name) => (await runnerImport(fileURLToPath(new URL(name, import.meta.url)), options)).module;

const { RedisServer } = await load('../support/redis-server.ts');
const { joinAndLeave } = await load('join-and-leave.ts');
const redis = await RedisServer.start();
try {
  const startMs = performance.now();
  const left = await joinAndLeave(redis.look, redis.url, Number(values.rounds));
  const seconds = ((performance.now() - startMs) / 1_000).toFixed(1);
  const isNothing = Object.values(left).every((one) => Number(one.length ?? one) === 0);
  console.log(JSON.stringify({ rounds: Number(values.rounds), left }));
  console.log(`${values.rounds} rounds in ${seconds} s: ${isNothing ? 'nothing is left behind' : 'something is left'}`);
  process.exitCode = isNothing ? 0 : 1;
} finally {
  await redis[Symbol.asyncDispose]();
}
