import { type Clock, scheduleDeadline } from '../../shared/index.js';

/** Longest time between two checks in milliseconds. */
const MAX_CHECK_INTERVAL_MS = 5_000;
/** Checks within `maxSlowMs`, so that a short limit is kept too. */
const CHECKS_PER_LIMIT = 10;

/** Client of a connection whose liveness is monitored. */
export interface MonitoredClient {
  /**
   * Returns the time since which the client has not read data or not answered a ping.
   * @param nowMs time of the monitor, in milliseconds
   * @returns time of the monitor, or null if the client owes nothing
   */
  waitingSinceMs(nowMs: number): number | null;
  /** Closes the connection. */
  closeUnresponsive(): void;
}

export interface LivenessMonitorOptions {
  readonly clock: Clock;
  /** Time in milliseconds after which a client that neither reads nor answers is closed. Null if it is never closed. */
  readonly maxSlowMs: number | null;
}

/**
 * Closes connections whose clients have not read their data, or not answered a ping, for `maxSlowMs`. The same rule applies
 * to WebSockets, server-sent events and HTTP answers. Its time does not advance while this process is stalled, because a
 * stalled process reads no pongs.
 */
export class LivenessMonitor implements Disposable {
  readonly #clock: Clock;
  readonly #maxSlowMs: number | null;
  readonly #intervalMs: number;
  readonly #clients = new Set<MonitoredClient>();
  #timer: Disposable | null = null;
  #nowMs = 0;
  #checkedAtMs = -Infinity;

  constructor({ clock, maxSlowMs }: LivenessMonitorOptions) {
    this.#clock = clock;
    this.#maxSlowMs = maxSlowMs;
    this.#intervalMs = Math.min(MAX_CHECK_INTERVAL_MS, Math.ceil((maxSlowMs ?? Infinity) / CHECKS_PER_LIMIT));
  }

  /** Time of the monitor in milliseconds: the time during which this process could read answers. */
  get nowMs(): number {
    if (this.#timer === null) return this.#nowMs;
    return this.#nowMs + Math.min(this.#intervalMs, this.#clock.monotonic() - this.#checkedAtMs);
  }

  /** Monitors a client until disposed. */
  watch(client: MonitoredClient): Disposable {
    this.#clients.add(client);
    if (this.#timer === null) this.#schedule();
    return {
      [Symbol.dispose]: () => {
        this.#clients.delete(client);
        if (this.#clients.size === 0) this[Symbol.dispose]();
      },
    };
  }

  [Symbol.dispose](): void {
    this.#nowMs = this.nowMs;
    this.#timer?.[Symbol.dispose]();
    this.#timer = null;
  }

  #schedule(): void {
    this.#checkedAtMs = this.#clock.monotonic();
    this.#timer = scheduleDeadline(this.#clock, this.#intervalMs, () => this.#check());
  }

  #check(): void {
    this.#nowMs = this.nowMs;
    this.#schedule();
    const { nowMs } = this;
    for (const client of this.#clients) {
      const sinceMs = client.waitingSinceMs(nowMs);
      if (this.#maxSlowMs !== null && sinceMs !== null && nowMs - sinceMs >= this.#maxSlowMs)
        client.closeUnresponsive();
    }
  }
}
