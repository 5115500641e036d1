import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import type { ActiveStreams } from '../delivery/index.js';
import type { LimitCounters } from './limits/limit-counters.js';
import type { NodeHealth } from '../schema/index.js';
import type { ConnectionRegistry } from './websocket/connection-registry.js';

/** Measures this process. */
export class NodeHealthMeter implements Disposable {
  readonly #delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  readonly #connections: ConnectionRegistry;
  readonly #streams: ActiveStreams;
  readonly #counters: LimitCounters;
  #lastUtilization = performance.eventLoopUtilization();

  constructor(connections: ConnectionRegistry, streams: ActiveStreams, counters: LimitCounters) {
    this.#connections = connections;
    this.#streams = streams;
    this.#counters = counters;
    this.#delay.enable();
  }

  read(): NodeHealth {
    const { rss, heapUsed, heapTotal } = process.memoryUsage();
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, this.#lastUtilization);
    this.#lastUtilization = now;
    const eventLoop = { delayP50Ms: this.#delayMs(50), delayP99Ms: this.#delayMs(99), utilization };
    this.#delay.reset();
    const roundTripsMs = this.#connections.roundTripsMs();
    const rates = this.#streams.rates();
    const effective = rates.map((rate) => rate.effectiveHz);
    return {
      connections: {
        open: this.#connections.size,
        subscriptions: this.#streams.size,
        slow: this.#connections.slowCount,
        unsentBytes: this.#connections.unsentBytes,
        roundTripP50Ms: percentile(roundTripsMs, 0.5),
        roundTripP95Ms: percentile(roundTripsMs, 0.95),
        roundTripP99Ms: percentile(roundTripsMs, 0.99),
        meanRequestedHz: mean(rates.map((rate) => rate.requestedHz)),
        meanEffectiveHz: mean(effective),
        minEffectiveHz: effective.length === 0 ? null : Math.min(...effective),
      },
      eventLoop,
      memory: { rssBytes: rss, heapUsedBytes: heapUsed, heapTotalBytes: heapTotal },
      limits: this.#counters.read(),
      uptimeMs: process.uptime() * 1000,
    };
  }

  [Symbol.dispose](): void {
    this.#delay.disable();
  }

  /** The histogram counts whole intervals between its timers, the wanted part of them included. */
  #delayMs(percent: number): number {
    const ns = this.#delay.percentile(percent);
    return Number.isFinite(ns) ? Math.max(0, ns / 1e6 - RESOLUTION_MS) : 0;
  }
}

const RESOLUTION_MS = 10;

/** By nearest rank, of sorted values. */
function percentile(sorted: readonly number[], share: number): number | null {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? null;
}

function mean(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
}
