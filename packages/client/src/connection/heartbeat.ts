import type { Runtime } from '../runtime.js';

export interface HeartbeatOptions {
  readonly intervalMs: number;
  readonly surroundings: Runtime;
  readonly ping: () => void;
  /** The answer took so long, milliseconds. */
  readonly onLatency: (latencyMs: number) => void;
  /** A ping was not answered until the next one was due. */
  readonly onDead: () => void;
}

/** Pings at once and from then on, until it is stopped. */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  #cancel: () => void = () => undefined;
  /** `null`: no ping is unanswered. */
  #sentAtMs: number | null = null;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    this.#beat();
  }

  pong(): void {
    if (this.#sentAtMs === null) return;
    const latencyMs = this.#options.surroundings.monotonic() - this.#sentAtMs;
    this.#sentAtMs = null;
    this.#options.onLatency(latencyMs);
  }

  stop(): void {
    this.#cancel();
  }

  #beat(): void {
    const { intervalMs, surroundings, ping, onDead } = this.#options;
    if (this.#sentAtMs !== null) {
      onDead();
      return;
    }
    this.#sentAtMs = surroundings.monotonic();
    this.#cancel = surroundings.schedule(intervalMs, () => this.#beat());
    ping();
  }
}
