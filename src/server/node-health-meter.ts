import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import type { ActiveStreams } from '../delivery/index.js';
import type { LimitCounters } from './limits/limit-counters.js';
import type { NodeHealth, Readiness } from '../schema/index.js';
import type { ConnectionRegistry } from './websocket/connection-registry.js';
import { nearestRank } from '../shared/index.js';

/** Measures the health of this process: connections, event loop, memory and limits. */
export class NodeHealthMeter implements Disposable {
  readonly #delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  readonly #connections: ConnectionRegistry;
  readonly #streams: ActiveStreams;
  readonly #counters: LimitCounters;
  readonly #readiness: () => Readiness;
  #lastUtilization = performance.eventLoopUtilization();

  /** @param readiness returns the current readiness of this node */
  constructor(
    connections: ConnectionRegistry,
    streams: ActiveStreams,
    counters: LimitCounters,
    readiness: () => Readiness,
  ) {
    this.#connections = connections;
    this.#streams = streams;
    this.#counters = counters;
    this.#readiness = readiness;
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
        roundTripP50Ms: nearestRank(roundTripsMs, 50) ?? null,
        roundTripP95Ms: nearestRank(roundTripsMs, 95) ?? null,
        roundTripP99Ms: nearestRank(roundTripsMs, 99) ?? null,
        meanRequestedHz: mean(rates.map((rate) => rate.requestedHz)),
        meanEffectiveHz: mean(effective),
        minEffectiveHz: effective.length === 0 ? null : Math.min(...effective),
      },
      eventLoop,
      memory: { rssBytes: rss, heapUsedBytes: heapUsed, heapTotalBytes: heapTotal },
      limits: this.#counters.read(),
      readiness: this.#readiness(),
      uptimeMs: process.uptime() * 1000,
    };
  }

  [Symbol.dispose](): void {
    this.#delay.disable();
  }

  /** Returns a percentile of the event loop delay. The histogram records intervals, which include the resolution. */
  #delayMs(percent: number): number {
    const ns = this.#delay.percentile(percent);
    return Number.isFinite(ns) ? Math.max(0, ns / 1e6 - RESOLUTION_MS) : 0;
  }
}

const RESOLUTION_MS = 10;

function mean(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
}
