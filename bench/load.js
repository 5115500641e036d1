// Measures CPU and memory of swarmlens with a simulated server under constant load, and the growth of its memory.
// Usage: node bench/load.js [--agents N] [--subscribers N] [--mode MODE] [--seconds N] [--hz N]
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { cpuSeconds, rssBytes } from './support/process-usage.js';

const PROGRAM = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const SUBSCRIBERS = fileURLToPath(new URL('delivery/subscribers.js', import.meta.url));

const { values } = parseArgs({
  options: {
    agents: { type: 'string', default: '1000' },
    subscribers: { type: 'string', default: '50' },
    mode: { type: 'string', default: 'NORMAL' },
    seconds: { type: 'string', default: '30' },
    hz: { type: 'string', default: '10' },
  },
});
const seconds = Number(values.seconds);
const folder = mkdtempSync(join(tmpdir(), 'swarmlens-bench-'));
const config = join(folder, 'config.json');
const simulate = [PROGRAM, 'simulate', '--type', 'ruv-swarm', '--agents', values.agents, '--hz', values.hz];
// All subscribers have one address.
const limits = { maxRequestsPerSecond: 1_000_000 };
writeFileSync(
  config,
  JSON.stringify({ mcpServers: { sim: { command: process.execPath, args: simulate } }, swarmlens: { limits } }),
);

const server = spawn(process.execPath, [PROGRAM, 'serve', '--config', config, '--port', '0'], {
  stdio: ['ignore', 'pipe', 'inherit'],
});
const serverLines = createInterface({ input: server.stdout })[Symbol.asyncIterator]();
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
let readers;
try {
  const ready = await serverLines.next();
  const url = /ready at (\S+)/.exec(ready.value)[1].replace('http', 'ws');
  readers = spawn(process.execPath, [SUBSCRIBERS, url, values.subscribers, values.mode], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const readerLines = createInterface({ input: readers.stdout })[Symbol.asyncIterator]();
  await readerLines.next();
  const sample = async () => {
    readers.stdin.write('\n');
    const counts = JSON.parse((await readerLines.next()).value);
    return { ...counts, cpu: cpuSeconds(server.pid), rss: rssBytes(server.pid), atMs: performance.now() };
  };
  await sleep(3_000);
  const first = await sample();
  const samples = [first];
  const steps = Math.max(1, Math.round(seconds / 10));
  for (let step = 0; step < steps; step += 1) {
    await sleep((seconds * 1000) / steps);
    samples.push(await sample());
    const [before, now] = samples.slice(-2);
    const share = (now.cpu - before.cpu) / ((now.atMs - before.atMs) / 1000);
    process.stderr.write(
      `${step + 1}/${steps}: ${(share * 100).toFixed(0)} % of a core, ${(now.rss / 2 ** 20).toFixed(0)} MiB\n`,
    );
  }
  const last = samples.at(-1);
  const elapsed = (last.atMs - first.atMs) / 1000;
  const updates = last.updates - first.updates;
  const result = {
    agents: Number(values.agents),
    subscribers: Number(values.subscribers),
    mode: values.mode,
    seconds: Math.round(elapsed),
    coreShare: (last.cpu - first.cpu) / elapsed,
    updatesPerSecond: updates / elapsed,
    bytesPerUpdate: Math.round((last.bytes - first.bytes) / updates),
    cpuMicrosPerUpdate: ((last.cpu - first.cpu) / updates) * 1e6,
    rssStartMiB: first.rss / 2 ** 20,
    rssEndMiB: last.rss / 2 ** 20,
    rssMiB: samples.map(({ rss }) => Math.round(rss / 2 ** 20)),
  };
  console.log(
    JSON.stringify(result, (_key, value) => (typeof value === 'number' ? Math.round(value * 100) / 100 : value)),
  );
} finally {
  readers?.stdin.end();
  server.kill('SIGTERM');
  rmSync(folder, { recursive: true, force: true });
}
