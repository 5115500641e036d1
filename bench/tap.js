// What a tap adds to a message: the round trip through one less that without, on the same echo server, in turns.
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

/** A server, behind a tap or not, that is asked one thing after another. */
class Session {
  #child;
  #arrived = () => undefined;
  #rest = '';
  #id = 0;

  constructor(...command) {
    this.#child = spawn(process.execPath, command, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#child.stdout.setEncoding('utf8').on('data', (chunk) => {
      this.#rest += chunk;
      if (!this.#rest.endsWith('\n')) return;
      this.#rest = '';
      this.#arrived();
    });
  }

  /** @returns milliseconds until the answer was there */
  async ask(method, params) {
    const arrived = new Promise((resolve) => (this.#arrived = resolve));
    this.#id += 1;
    const startMs = performance.now();
    this.#child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id: this.#id, method, params })}\n`);
    await arrived;
    return performance.now() - startMs;
  }

  async end() {
    this.#child.stdin.end();
    await once(this.#child, 'exit');
  }
}

// One that listens and asks nothing: everything seen is sent to it.
const swarmlens = new WebSocketServer({ host: '127.0.0.1', port: 0 });
await once(swarmlens, 'listening');
swarmlens.on('connection', (socket) => socket.on('message', () => undefined));
const joined = once(swarmlens, 'connection');
const direct = new Session('-e', ECHO);
const url = `ws://127.0.0.1:${swarmlens.address().port}`;
const tapped = new Session(program, 'tap', '--server', 'bench', '--url', url, '--', process.execPath, '-e', ECHO);
await joined;

const params = { name: 'echo', arguments: { text: 'x'.repeat(Number(values.bytes)) } };
const times = { direct: [], tapped: [] };
for (let round = -rounds / 10; round < rounds; round += 1) {
  for (const [name, session] of [
    ['direct', direct],
    ['tapped', tapped],
  ]) {
    const ms = await session.ask('tools/call', params);
    if (round >= 0) times[name].push(ms);
  }
}
await Promise.all([direct.end(), tapped.end()]);
for (const socket of swarmlens.clients) socket.terminate();
swarmlens.close();

const figures = Object.fromEntries(
  Object.entries(times).map(([name, all]) => {
    const sorted = [...all].sort((a, b) => a - b);
    return [name, { medianMs: median(all), p95Ms: percentile(sorted, 0.95), p99Ms: percentile(sorted, 0.99) }];
  }),
);
// A round trip is two messages.
const addedMs = figures.tapped.medianMs - figures.direct.medianMs;
const report = {
  rounds,
  bytes: Number(values.bytes),
  ...figures,
  addedMs,
  addedPerMessageMs: addedMs / 2,
  goalMs: GOAL_MS,
};
console.log(JSON.stringify(report));
console.log(
  `A tap adds ${addedMs.toFixed(3)} ms to a round trip (median), ${(addedMs / 2).toFixed(3)} ms to a message; the goal is below ${GOAL_MS} ms.`,
);
