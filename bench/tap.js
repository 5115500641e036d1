// Measures the latency that a tap adds to a message: round trips with and without a tap, alternating, to the same echo server.
// Usage: node bench/tap.js [--rounds N] [--bytes N]
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { WebSocketServer } from 'ws';
import { median, percentile } from './support/statistics.js';

const GOAL_MS = 1;
const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '3000' }, bytes: { type: 'string', default: '400' } },
});
const rounds = Number(values.rounds);
const program = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const ECHO = `
  let rest = '';
  process.stdin.setEncoding('utf8').on('data', (chunk) => {
    const lines = (rest + chunk).split('\\n');
    rest = lines.pop();
    for (const line of lines) {
      const { id, params } = JSON.parse(line);
      if (id !== undefined) process.stdout.write(JSON.stringify({ jsonrpc: '2.0', id, result: params }) + '\\n');
    }
  });
`;

/** Session with a server, with or without a tap. Sends one request at a time. */
class Session {
  #child;
  #onResponse = () => undefined;
  #rest = '';
  #id = 0;

  constructor(...command) {
    this.#child = spawn(process.execPath, command, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#child.stdout.setEncoding('utf8').on('data', (chunk) => {
      this.#rest += chunk;
      if (!this.#rest.endsWith('\n')) return;
      this.#rest = '';
      this.#onResponse();
    });
  }

  /** @returns time until the response in milliseconds */
  async request(method, params) {
    const response = new Promise((resolve) => (this.#onResponse = resolve));
    this.#id += 1;
    const startMs = performance.now();
    this.#child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id: this.#id, method, params })}\n`);
    await response;
    return performance.now() - startMs;
  }

  async close() {
    this.#child.stdin.end();
    await once(this.#child, 'exit');
  }
}

// Stands for swarmlens: receives every observed message and sends no requests.
const swarmlens = new WebSocketServer({ host: '127.0.0.1', port: 0 });
await once(swarmlens, 'listening');
swarmlens.on('connection', (socket) => socket.on('message', () => undefined));
const connected = once(swarmlens, 'connection');
const direct = new Session('-e', ECHO);
const url = `ws://127.0.0.1:${swarmlens.address().port}`;
const tapped = new Session(program, 'tap', '--server', 'bench', '--url', url, '--', process.execPath, '-e', ECHO);
await connected;

const params = { name: 'echo', arguments: { text: 'x'.repeat(Number(values.bytes)) } };
const times = { direct: [], tapped: [] };
for (let round = -rounds / 10; round < rounds; round += 1) {
  for (const [name, session] of [
    ['direct', direct],
    ['tapped', tapped],
  ]) {
    const ms = await session.request('tools/call', params);
    if (round >= 0) times[name].push(ms);
  }
}
await Promise.all([direct.close(), tapped.close()]);
for (const socket of swarmlens.clients) socket.terminate();
swarmlens.close();

const statistics = Object.fromEntries(
  Object.entries(times).map(([name, all]) => {
    const sorted = [...all].sort((a, b) => a - b);
    return [name, { medianMs: median(all), p95Ms: percentile(sorted, 0.95), p99Ms: percentile(sorted, 0.99) }];
  }),
);
// A round trip is two messages.
const addedMs = statistics.tapped.medianMs - statistics.direct.medianMs;
const report = {
  rounds,
  bytes: Number(values.bytes),
  ...statistics,
  addedMs,
  addedPerMessageMs: addedMs / 2,
  goalMs: GOAL_MS,
};
console.log(JSON.stringify(report));
console.log(
  `A tap adds ${addedMs.toFixed(3)} ms per round trip (median), ${(addedMs / 2).toFixed(3)} ms per message. Goal: below ${GOAL_MS} ms.`,
);
