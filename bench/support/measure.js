// One measurement: a server and its clients, started for it and ended after it.
import { clearInterval } from 'node:timers';
import { setTimeout as sleep } from 'node:timers/promises';
import { Child } from './commands.js';
import { cpuMicros, rssBytes } from './process-usage.js';
import { percentile } from './statistics.js';

/** A server whose queues grow beyond it has lost. */
const MAX_RSS_BYTES = 3 * 2 ** 30;
const WATCH_MS = 200;

/** A contender under way, with its clients. */
class Bout {
  extensions = '';
  #server;
  #clients;
  #options;
  #port;
  #count = 0;
  #watch;

  constructor(options) {
    const { serverCore = null, clientCore = null } = options;
    this.#options = options;
    this.#server = new Child('server.js', [JSON.stringify(options)], { core: serverCore, flags: ['--expose-gc'] });
    this.#clients = new Child('clients.js', [], { core: clientCore });
    this.#watch = setInterval(() => this.#checkMemory(), WATCH_MS);
  }

  /** Opens connections, up to the server's acknowledgement; milliseconds that it took. */
  async connect(count) {
    const { filters, hz, compressed, total, token = null } = this.#options;
    this.#port ??= await this.#server.ask('port');
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
    const { extensions, ms } = await this.#clients.ask('connect', args);
    this.extensions = extensions;
    this.#count += count;
    return ms;
  }

  /** Of the newest connections, all at once; milliseconds from the first request to the last first update. */
  async subscribe(count) {
    return (await this.#clients.ask('subscribe', { count })).ms;
  }

  /** As `subscribe`, while the picture changes. */
  async join(count) {
    await this.#server.ask('start');
    const ms = await this.subscribe(count);
    await this.#server.ask('stop');
    return ms;
  }

  async stall(count) {
    await this.#clients.ask('stall', { count });
  }

  async leave(count) {
    await this.#clients.ask('leave', { count });
    this.#count -= count;
    await sleep(300);
  }

  /** Lets the picture change for a while and tells what that did. */
  async run(seconds) {
    const { hz } = this.#options;
    const ticks = Math.round(seconds * hz);
    await this.#clients.ask('reset');
    const cpuBefore = cpuMicros(this.#server.pid);
    const startMs = performance.now();
    const firstMs = await this.#server.ask('start', { ticks });
    // An update that is not there a period after the last tick is late.
    await sleep(firstMs + (ticks * 1000) / hz);
    const inTime = await this.#clients.ask('counts');
    const rss = rssBytes(this.#server.pid);
    const cpuShare = (cpuMicros(this.#server.pid) - cpuBefore) / 1000 / (performance.now() - startMs);
    const counts = await this.#drained();
    const ticksMade = await this.#server.ask('stop');
    if (counts.failures.length > 0) throw new Error(`${counts.failures.length} lost: ${counts.failures[0]}`);
    if (counts.updates === 0) throw new Error('no update arrived');
    const latencies = (await this.#clients.ask('latencies')).sort((a, b) => a - b);
    const cpu = cpuMicros(this.#server.pid) - cpuBefore;
    return {
      subscribers: this.#count,
      cpuMicros: cpu,
      cpuShare,
      clientCpuShare: inTime.cpuShare,
      updates: counts.updates,
      due: ticks * this.#count,
      ticks,
      ticksMade,
      cpuMicrosPerUpdate: cpu / counts.updates,
      updatesPerSecond: (inTime.updates * hz) / ticks,
      bytesPerUpdate: counts.bytes / counts.updates,
      p50Ms: percentile(latencies, 0.5),
      p99Ms: percentile(latencies, 0.99),
      maxMs: latencies.at(-1) ?? null,
      rss,
    };
  }

  /** Bytes of the server, after forced collections of garbage. */
  async memory() {
    const { heapUsed, external } = await this.#server.ask('gc');
    return { rss: rssBytes(this.#server.pid), heap: heapUsed + external };
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

  #checkMemory() {
    try {
      if (rssBytes(this.#server.pid) <= MAX_RSS_BYTES) return;
    } catch {
      return; // It has just ended; whoever waits for it is told.
    }
    this.#server.stop(`ended: more than ${MAX_RSS_BYTES / 2 ** 30} GiB of memory`);
  }

  async [Symbol.asyncDispose]() {
    clearInterval(this.#watch);
    await Promise.all([this.#server.stop(), this.#clients.stop()]);
  }
}

/**
 * Uses a contender and ends it afterwards. Node.js 20 has no `await using`.
 * @param options contender, agents, changed, hz, filters, compressed; total subscribers; diff; tokens file and a token of it; serverCore, clientCore
 */
export async function withBout(options, use) {
  const bout = new Bout(options);
  try {
    return await use(bout);
  } finally {
    await bout[Symbol.asyncDispose]();
  }
}
