// Starts a cluster: a Redis, a simulated server, nodes, and processes with subscribers.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { cpuMicros, rssBytes } from '../support/process-usage.js';

const PROGRAM = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const SUBSCRIBERS = fileURLToPath(new URL('../delivery/subscribers.js', import.meta.url));

const running = new Set();

/** Kills all processes that were started here. */
export function killFleet() {
  for (const child of running) child.kill('SIGKILL');
}

/** Child process whose output is read line by line. */
export class Lines {
  #child;
  #lines;

  constructor(command, args, stdin = 'ignore') {
    this.#child = spawn(command, args, { stdio: [stdin, 'pipe', 'inherit'] });
    running.add(this.#child);
    this.#child.on('exit', () => running.delete(this.#child));
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  get pid() {
    return this.#child.pid;
  }

  /** Returns the match of the next matching line. */
  async line(pattern) {
    for (;;) {
      const { value, done } = await this.#lines.next();
      if (done) throw new Error(`The process ended before it printed ${pattern}.`);
      const match = pattern.exec(value);
      if (match !== null) return match;
    }
  }

  /** Requests a JSON line by sending an empty line. */
  async request() {
    this.#child.stdin.write('\n');
    return JSON.parse((await this.line(/^.*$/))[0]);
  }

  async stop() {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }
}

/** Starts a Redis without persistence. */
export async function startRedis(folder) {
  const port = await freePort();
  const quiet = ['--save', '', '--appendonly', 'no', '--dir', folder, '--bind', '127.0.0.1'];
  const redis = new Lines('redis-server', ['--port', String(port), ...quiet]);
  await redis.line(/Ready to accept connections/);
  return { redis, port };
}

/** Cluster with one server. The first node owns the server, and the others follow it. */
export class Fleet {
  nodes = [];
  redis;
  client;
  /** Number of bus messages of the server. */
  messages = 0;
  messageBytes = 0;
  #folder = mkdtempSync(join(tmpdir(), 'swarmlens-bench-'));
  #simulator;
  #listener;
  #crowds = [];

  async start({ nodes, agents, hz }) {
    const { redis, port } = await startRedis(this.#folder);
    this.redis = redis;
    this.client = new Redis(port);
    this.#listener = new Redis(port);
    this.#listener.on('pmessage', (_pattern, _channel, message) => {
      this.messages += 1;
      this.messageBytes += message.length;
    });
    await this.#listener.psubscribe('swarmlens:*:changes');
    const simulate = ['simulate', '--type', 'daa', '--agents', agents, '--hz', hz, '--transport', 'http', '--port', 0];
    this.#simulator = new Lines(process.execPath, [PROGRAM, ...simulate.map(String)]);
    const [url] = await this.#simulator.line(/^http\S+$/);
    const config = join(this.#folder, 'config.json');
    writeFileSync(
      config,
      JSON.stringify({
        mcpServers: { sim: { type: 'http', url, swarmlens: { maxPollShare: 1 } } },
        // All subscribers have one address.
        swarmlens: { bus: `redis://127.0.0.1:${port}`, leaseMs: 5_000, limits: { maxRequestsPerSecond: 1_000_000 } },
      }),
    );
    for (let number = 0; number < nodes; number += 1) {
      const node = new Lines(process.execPath, [PROGRAM, 'serve', '--config', config, '--port', '0']);
      this.nodes.push(node);
      [, node.url] = await node.line(/ready at (\S+)\/graphql/);
    }
  }

  /** Starts a process with subscribers of one node. Resolves when each has its first update. */
  async join(node, count, mode) {
    const url = `${this.nodes[node].url.replace('http', 'ws')}/graphql`;
    const crowd = new Lines(process.execPath, [SUBSCRIBERS, url, String(count), mode], 'pipe');
    this.#crowds.push(crowd);
    const [ready] = await crowd.line(/^.*$/);
    return Object.assign(crowd, { readyMs: JSON.parse(ready).ms });
  }

  async leave(...crowds) {
    this.#crowds = this.#crowds.filter((crowd) => !crowds.includes(crowd));
    await Promise.all(crowds.map((crowd) => crowd.stop()));
  }

  /** Counts what happens in this number of seconds. */
  async run(seconds, crowds) {
    const before = await this.#counts(crowds);
    await sleep(seconds * 1_000);
    const after = await this.#counts(crowds);
    const difference = (key) => after[key] - before[key];
    return {
      seconds: difference('atMs') / 1_000,
      nodeMicros: after.nodeMicros.map((micros, at) => micros - before.nodeMicros[at]),
      nodeBytes: after.nodeBytes,
      redisMicros: difference('redisMicros'),
      messages: difference('messages'),
      messageBytes: difference('messageBytes'),
      updates: difference('updates'),
      updateBytes: difference('updateBytes'),
      latencies: after.latencies,
    };
  }

  async stop() {
    await this.leave(...this.#crowds);
    this.client?.disconnect();
    this.#listener?.disconnect();
    await Promise.all(this.nodes.map((node) => node.stop()));
    await Promise.all([this.#simulator?.stop(), this.redis?.stop()]);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #counts(crowds) {
    const counts = await Promise.all(crowds.map((crowd) => crowd.request()));
    const sum = (key) => counts.reduce((total, entry) => total + entry[key], 0);
    return {
      atMs: performance.now(),
      updates: sum('updates'),
      updateBytes: sum('bytes'),
      latencies: counts.map(({ p50Ms, p99Ms }) => ({ p50Ms, p99Ms })),
      nodeMicros: this.nodes.map(({ pid }) => cpuMicros(pid)),
      nodeBytes: this.nodes.map(({ pid }) => rssBytes(pid)),
      redisMicros: cpuMicros(this.redis.pid),
      messages: this.messages,
      messageBytes: this.messageBytes,
    };
  }
}

/** Starts a cluster, uses it and stops it. Node.js 20 does not support `await using`. */
export async function withFleet(options, use) {
  const fleet = new Fleet();
  try {
    await fleet.start(options);
    return await use(fleet);
  } finally {
    await fleet.stop();
  }
}

/** Finds a free port, because redis-server cannot choose one. */
async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}
