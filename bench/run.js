// Delivery side by side: the program's server and stock graphql-yoga + graphql-ws over the same schema and picture, each
// in a process of its own, one after the other. Prints a Markdown table.
// Usage: node bench/run.js [--seconds N]
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { cpuSeconds, rssBytes } from './process-usage.js';

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '10' } } });
const seconds = Number(values.seconds);
const path = (name) => fileURLToPath(new URL(name, import.meta.url));
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const CASES = [
  { agents: 200, changed: 20, subscribers: 10, mode: 'NORMAL', hz: 10 },
  { agents: 200, changed: 20, subscribers: 50, mode: 'NORMAL', hz: 10 },
  { agents: 1000, changed: 100, subscribers: 10, mode: 'NORMAL', hz: 10 },
  { agents: 200, changed: 20, subscribers: 20, mode: 'HIGH_FREQUENCY', hz: 60 },
];

async function measure(kind, { agents, changed, subscribers, mode, hz }) {
  const server = spawn(process.execPath, [path('server.js'), kind, agents, changed, hz].map(String), {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let readers;
  try {
    const ready = await createInterface({ input: server.stdout })[Symbol.asyncIterator]().next();
    const url = /ready at (\S+)/.exec(ready.value)[1].replace('http', 'ws');
    readers = spawn(process.execPath, [path('subscribers.js'), url, String(subscribers), mode], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const lines = createInterface({ input: readers.stdout })[Symbol.asyncIterator]();
    await lines.next();
    const look = async () => {
      readers.stdin.write('\n');
      return { ...JSON.parse((await lines.next()).value), cpu: cpuSeconds(server.pid), atMs: performance.now() };
    };
    await sleep(2_000);
    const first = await look();
    await sleep(seconds * 1000);
    const last = await look();
    const updates = last.updates - first.updates;
    return {
      cpuMicros: ((last.cpu - first.cpu) / updates) * 1e6,
      perSecond: updates / ((last.atMs - first.atMs) / 1000),
      bytes: (last.bytes - first.bytes) / updates,
      rssMiB: rssBytes(server.pid) / 2 ** 20,
      p50Ms: last.p50Ms,
      p99Ms: last.p99Ms,
    };
  } finally {
    readers?.stdin.end();
    server.kill('SIGKILL');
  }
}

console.log(
  '| agents | changed | subscribers | Hz | server | CPU µs per update | updates/s | p50 ms | p99 ms | bytes | RSS MiB | CPU ratio |',
);
console.log('| ---: | ---: | ---: | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |');
for (const one of CASES) {
  const results = {};
  for (const kind of ['stock', 'swarmlens']) {
    process.stderr.write(`${kind}, ${one.agents} agents, ${one.subscribers} subscribers …\n`);
    results[kind] = await measure(kind, one);
    const { cpuMicros, perSecond, bytes, rssMiB, p50Ms, p99Ms } = results[kind];
    const ratio = cpuMicros / results.stock.cpuMicros;
    console.log(
      `| ${one.agents} | ${one.changed} | ${one.subscribers} | ${one.hz} | ${kind} | ${cpuMicros.toFixed(0)} | ${perSecond.toFixed(0)} of ${one.subscribers * one.hz} | ${p50Ms} | ${p99Ms} | ${bytes.toFixed(0)} | ${rssMiB.toFixed(0)} | ${ratio.toFixed(2)} |`,
    );
  }
}
