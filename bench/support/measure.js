// Runs one measurement: starts a server and its clients, and stops them afterwards.
import { clearInterval } from 'node:timers';
import { setTimeout as sleep } from 'node:timers/promises';
import { Child } from './commands.js';
import { cpuMicros, rssBytes } from './process-usage.js';
import { percentile } from './statistics.js';

/** Largest resident memory of a server. A server whose queues grow beyond it fails. */
const MAX_RSS_BYTES = 3 * 2 ** 30;
const MEMORY_CHECK_INTERVAL_MS = 200;

/** Running server with its clients. */
class Measurement {
  extensions = '';
  #server;
  #clients;
  #options;
  #port;
  #count = 0;
  #memoryCheck;

  constructor(options) {
    const { serverCore = null, clientCore = null } = options;
    this.#options = options;
    this.#server = new Child(new URL('../delivery/server.js', import.meta.url), [JSON.stringify(options)], {
      core: serverCore,
      flags: ['--expose-gc'],
    });
    this.#clients = new Child(new URL('../delivery/clients.js', import.meta.url), [], { core: clientCore });
    this.#memoryCheck = setInterval(() => this.#checkMemory(), MEMORY_CHECK_INTERVAL_MS);
  }

  /** Opens connections and waits for their acknowledgement. Returns the time in milliseconds. */
  async connect(count) {
    const { filters, hz, compressed, total, token = null } = this.#options;
    this.#port ??= await this.#server.request('port');
    const args = {
      port: this.#port,
      from: this.#count,
      count,
      total,
      filters,
      hz,
      compressed,
      token,
    };
    const { extensions, ms } = await this.#clients.request('connect', args);
    this.extensions = extensions;
    this.#count += count;
    return ms;
  }

  /** Subscribes the newest connections simultaneously. Returns the time until all have an update, in milliseconds. */
  async subscribe(count) {
    return (await this.#clients.request('subscribe', { count })).ms;
  }

  /** Subscribes like `subscribe`, while agents change. */
  async join(count) {
    await this.#server.request('start');
    const ms = await this.subscribe(count);
    await this.#server.request('stop');
    return ms;
  }

  async stall(count) {
    await this.#clients.request('stall', { count });
  }

  async leave(count) {
    await this.#clients.request('leave', { count });
    this.#count -= count;
    await sleep(300);
  }

  /** Changes agents for a number of seconds. Returns the measured values. */
  async run(seconds) {
    const { hz } = this.#options;
    const ticks = Math.round(seconds * hz);
    await this.#clients.request('reset');
    const cpuBefore = cpuMicros(this.#server.pid);
    const startMs = performance.now();
    const firstMs = await this.#server.request('start', { ticks });
    // An update that arrives more than one period after the last tick is late.
    await sleep(firstMs + (ticks * 1000) / hz);
    const onTime = await this.#clients.request('counts');
    const rss = rssBytes(this.#server.pid);
    const cpuShare = (cpuMicros(this.#server.pid) - cpuBefore) / 1000 / (performance.now() - startMs);
    const counts = await this.#drained();
    const ticksMade = await this.#server.request('stop');
    if (counts.failures.length > 0)
      throw new Error(`${counts.failures.length} connections lost: ${counts.failures[0]}`);
    if (counts.updates === 0) throw new Error('no update arrived');
    const latencies = (await this.#clients.request('latencies')).sort((a, b) => a - b);
    const cpu = cpuMicros(this.#server.pid) - cpuBefore;
    return {
      subscribers: this.#count,
      cpuMicros: cpu,
      cpuShare,
      clientCpuShare: onTime.cpuShare,
      updates: counts.updates,
      due: ticks * this.#count,
      ticks,
      ticksMade,
      cpuMicrosPerUpdate: cpu / counts.updates,
      updatesPerSecond: (onTime.updates * hz) / ticks,
      bytesPerUpdate: counts.bytes / counts.updates,
      p50Ms: percentile(latencies, 0.5),
      p99Ms: percentile(latencies, 0.99),
      maxMs: latencies.at(-1) ?? null,
      rss,
    };
  }

  /** Returns the memory of the server in bytes, after forced garbage collections. */
  async memory() {
    const { heapUsed, external } = await this.#server.request('gc');
    return { rss: rssBytes(this.#server.pid), heap: heapUsed + external };
  }

  /** Counts updates that are still in flight, for up to five seconds. */
  async #drained() {
    let before = -1;
    for (let round = 0; round < 20; round += 1) {
      const counts = await this.#clients.request('counts');
      if (counts.updates === before) return counts;
      before = counts.updates;
      await sleep(250);
    }
    return this.#clients.request('counts');
  }

  #checkMemory() {
    try {
      if (rssBytes(this.#server.pid) <= MAX_RSS_BYTES) return;
    } catch {
      return; // The server has exited, which pending requests report.
    }
    this.#server.stop(`stopped: more than ${MAX_RSS_BYTES / 2 ** 30} GiB of memory`);
  }

  async [Symbol.asyncDispose]() {
    clearInterval(this.#memoryCheck);
    await Promise.all([this.#server.stop(), this.#clients.stop()]);
  }
}

/**
 * Starts a server, uses it and stops it. Node.js 20 does not support `await using`.
 *
 * @param options contender, agents, changed, hz, filters, compressed; total subscribers; diff; tokens file and a token of it;
 * serverCore, clientCore
 */
export async function withMeasurement(options, use) {
  const measurement = new Measurement(options);
  try {
    return await use(measurement);
  } finally {
    await measurement[Symbol.asyncDispose]();
  }
}
