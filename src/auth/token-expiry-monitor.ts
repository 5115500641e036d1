import type { Clock } from '../shared/index.js';
import type { Viewer } from './viewer.js';

/** Timers do not take more than 24 days, and the time of day may be set: it is looked at once a minute at least. */
const LOOK_MS = 60_000;

interface WatchedViewer {
  readonly viewer: Viewer;
  readonly onEnd: (reason: string) => void;
}

/** Ends what is open for viewers who are no longer let in. One timer for all of them, and none while there is nobody. */
export class TokenExpiryMonitor implements Disposable {
  readonly #clock: Clock;
  readonly #isRevoked: (viewer: Viewer) => boolean;
  readonly #open = new Set<WatchedViewer>();
  #timer: { readonly atMs: number; readonly schedule: Disposable } | null = null;

  constructor(clock: Clock, isRevoked: (viewer: Viewer) => boolean) {
    this.#clock = clock;
    this.#isRevoked = isRevoked;
  }

  /** What is watched. */
  get size(): number {
    return this.#open.size;
  }

  /** Calls back once, at once when it is over already; dispose to stop. */
  watch(viewer: Viewer, onEnd: (reason: string) => void): Disposable {
    const lifetime = { viewer, onEnd };
    const reason = this.#reasonToEnd(viewer);
    if (reason !== null) {
      onEnd(reason);
      return { [Symbol.dispose]: () => undefined };
    }
    this.#open.add(lifetime);
    this.#scheduleFor(viewer);
    return {
      [Symbol.dispose]: () => {
        this.#open.delete(lifetime);
        if (this.#open.size === 0) this.#stop();
      },
    };
  }

  /** Ends what is over; to be called when a token may have been revoked. */
  checkAll(): void {
    for (const lifetime of [...this.#open]) {
      const reason = this.#reasonToEnd(lifetime.viewer);
      // One that was ended meanwhile, by the end of another, is gone.
      if (reason === null || !this.#open.delete(lifetime)) continue;
      lifetime.onEnd(reason);
    }
    this.#stop();
    for (const { viewer } of this.#open) this.#scheduleFor(viewer);
  }

  [Symbol.dispose](): void {
    this.#open.clear();
    this.#stop();
  }

  #reasonToEnd(viewer: Viewer): string | null {
    if (viewer.expiresAtMs !== null && viewer.expiresAtMs <= this.#clock.now()) return 'The token has expired';
    return this.#isRevoked(viewer) ? 'The token has been revoked' : null;
  }

  #scheduleFor({ expiresAtMs }: Viewer): void {
    if (expiresAtMs === null) return;
    const nowMs = this.#clock.now();
    const atMs = Math.min(expiresAtMs, nowMs + LOOK_MS);
    if (this.#timer !== null && this.#timer.atMs <= atMs) return;
    this.#stop();
    this.#timer = { atMs, schedule: this.#clock.schedule(Math.ceil(atMs - nowMs), () => this.checkAll()) };
  }

  #stop(): void {
    this.#timer?.schedule[Symbol.dispose]();
    this.#timer = null;
  }
}
