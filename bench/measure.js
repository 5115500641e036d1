// One measurement: a server and its clients, started for it and ended after it.
import { setTimeout as sleep } from 'node:timers/promises';
import { Child } from './commands.js';
import { cpuMicros, rssBytes } from './process-usage.js';

/** A contender under way, with its clients. */
export class Bout {
  #server;
  #clients;
  #options;
  #port;
  #count = 0;
  extensions = '';

  /** @param options contender, agents, changed, hz, filters, compressed; total subscribers; cores of server and clients */
  constructor(options) {
    const { serverCore = null, clientCore = null } = options;
    this.#options = options;
    this.#server = new Child('server.js', [JSON.stringify(options)], { core: serverCore, flags: ['--expose-gc'] });
    this.#clients = new Child('clients.js', [], { core: clientCore });
  }

  async connect(count) {
    const { filters, hz, compressed, total } = this.#options;
    this.#port ??= await this.#server.ask('port');
    const args = { port: this.#port, from: this.#count, count, total, filters, hz, compressed };
    this.extensions = (await this.#clients.ask('connect', args)).extensions;
    this.#count += count;
  }

  /** @returns milliseconds from the first request to the last first update */
  async subscribe(count) {
    return (await this.#clients.ask('subscribe', { count })).ms;
  }

  async leave(count) {
    await this.#clients.ask('leave', { count });
    this.#count -= count;
    await sleep(300);
  }

  /** Lets the picture change for a while and tells what that did. */
  async run(seconds) {
    await this.#clients.ask('reset');
    const cpuBefore = cpuMicros(this.#server.pid);
    const startMs = performance.now();
    await this.#server.ask('start');
    await sleep(seconds * 1000);
    const inTime = await this.#clients.ask('counts');
    const elapsed = (performance.now() - startMs) / 1000;
    const ticks = await this.#server.ask('stop');
    const counts = await this.#drained();
    if (counts.failures.length > 0) {
      throw new Error(`${counts.failures.length} subscribers lost: ${counts.failures[0]}`);
    }
    const latencies = (await this.#clients.ask('latencies')).sort((a, b) => a - b);
    const cpu = cpuMicros(this.#server.pid) - cpuBefore;
    return {
      subscribers: this.#count,
      cpuMicros: cpu,
      cpuShare: cpu / 1e6 / elapsed,
      updates: counts.updates,
      due: ticks.due * this.#count,
      missedTicks: ticks.due - ticks.made,
      cpuMicrosPerUpdate: cpu / counts.updates,
      updatesPerSecond: inTime.updates / elapsed,
      bytesPerUpdate: counts.bytes / counts.updates,
      p50Ms: percentile(latencies, 0.5),
      p99Ms: percentile(latencies, 0.99),
      maxMs: latencies.at(-1) ?? null,
      clientCpuShare: inTime.cpuShare,
    };
  }

  /** Bytes, after forced collections of garbage. */
  async memory() {
    const { heapUsed, external } = await this.#server.ask('gc');
    return { rss: rssBytes(this.#server.pid), heap: heapUsed + external };
  }

  get serverPid() {
    return this.#server.pid;
  }

  /** What is still on the way counts, for up to five seconds. */
  async #drained() {
    let before = -1;
    for (let round = 0; round < 20; round += 1) {
      const counts = await this.#clients.ask('counts');
      if (counts.updates === before) return counts;
      before = counts.updates;
      await sleep(250);
    }
    return this.#clients.ask('counts');
  }

  async [Symbol.asyncDispose]() {
    await Promise.all([this.#server.stop(), this.#clients.stop()]);
  }
}

function percentile(sorted, share) {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? null;
}

/** Node 20 has no `await using`. */
export async function withBout(options, use) {
  const bout = new Bout(options);
  try {
    return await use(bout);
  } finally {
    await bout[Symbol.asyncDispose]();
  }
}
