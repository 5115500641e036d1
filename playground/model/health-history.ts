import type { Health } from '@swarmlens/client';
import { SampleBuffer } from './sample-buffer.js';

/** Maximum number of samples: one per second and additional ones after changes. */
const MAX_SAMPLES = 300;

/** Measurements of one server since the page was opened. */
export interface ServerHistory {
  /** Latencies in milliseconds: p50, p95, p99. */
  readonly latency: SampleBuffer;
  /** Polls per second: actual and required. */
  readonly polls: SampleBuffer;
}

/** Measurements of the servers and the connected node since the page was opened, also while no chart shows them. */
export class HealthHistory {
  readonly #servers = new Map<string, ServerHistory>();
  /** Delays of the event loop in milliseconds: p50, p99. */
  readonly eventLoop = new SampleBuffer(2, MAX_SAMPLES);
  /** Bytes of the process and of its heap. */
  readonly memory = new SampleBuffer(2, MAX_SAMPLES);

  record({ servers, eventLoop, memory, timestamp }: Health): void {
    const atSeconds = Date.parse(timestamp) / 1_000;
    const ids = new Set(servers.map(({ id }) => id));
    for (const id of this.#servers.keys()) if (!ids.has(id)) this.#servers.delete(id);
    for (const { id, latency, polling } of servers) {
      const history = this.server(id);
      history.latency.add(atSeconds, [latency.p50Ms, latency.p95Ms, latency.p99Ms]);
      history.polls.add(atSeconds, [polling?.effectiveHz ?? null, polling?.wantedHz ?? null]);
    }
    this.eventLoop.add(atSeconds, [eventLoop.delayP50Ms, eventLoop.delayP99Ms]);
    this.memory.add(atSeconds, [memory.rssBytes, memory.heapUsedBytes]);
  }

  server(id: string): ServerHistory {
    let history = this.#servers.get(id);
    if (history === undefined) {
      history = { latency: new SampleBuffer(3, MAX_SAMPLES), polls: new SampleBuffer(2, MAX_SAMPLES) };
      this.#servers.set(id, history);
    }
    return history;
  }
}
