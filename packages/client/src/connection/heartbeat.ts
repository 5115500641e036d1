import type { Runtime } from '../runtime.js';

export interface HeartbeatOptions {
  readonly intervalMs: number;
  readonly runtime: Runtime;
  readonly ping: () => void;
  /** Receives the round-trip time of each answered ping, in milliseconds. */
  readonly onLatency: (latencyMs: number) => void;
  /** Called when a ping has not been answered until the next one is due. */
  readonly onDead: () => void;
}

/** Sends the first ping immediately, then one per interval until it is stopped. */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  #cancel: () => void = () => undefined;
  /** Monotonic time of the unanswered ping. Null if there is none. */
  #sentAtMs: number | null = null;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    this.#beat();
  }

  pong(): void {
    if (this.#sentAtMs === null) return;
    const latencyMs = this.#options.runtime.monotonic() - this.#sentAtMs;
    this.#sentAtMs = null;
    this.#options.onLatency(latencyMs);
  }

  stop(): void {
    this.#cancel();
  }

  #beat(): void {
    const { intervalMs, runtime, ping, onDead } = this.#options;
    if (this.#sentAtMs !== null) {
      onDead();
      return;
    }
    this.#sentAtMs = runtime.monotonic();
    this.#cancel = runtime.schedule(intervalMs, () => this.#beat());
    ping();
  }
}
