import type { Clock } from '../shared/index.js';
import type { Viewer } from './viewer.js';

/** Longest interval between two checks. Timers are limited to 24 days, and the system clock may be set. */
const CHECK_INTERVAL_MS = 60_000;

interface WatchedViewer {
  readonly viewer: Viewer;
  readonly onExpired: (reason: string) => void;
}

/** Reports viewers whose token expires or is revoked. Uses one timer for all of them and none if there are none. */
export class TokenExpiryMonitor implements Disposable {
  readonly #clock: Clock;
  readonly #isRevoked: (viewer: Viewer) => boolean;
  readonly #watched = new Set<WatchedViewer>();
  #timer: { readonly dueMs: number; readonly schedule: Disposable } | null = null;

  constructor(clock: Clock, isRevoked: (viewer: Viewer) => boolean) {
    this.#clock = clock;
    this.#isRevoked = isRevoked;
  }

  /** Number of watched viewers. */
  get size(): number {
    return this.#watched.size;
  }

  /**
   * Calls `onExpired` once when the token of a viewer expires or is revoked, or immediately if it already has. Disposing
   * the result unsubscribes.
   */
  watch(viewer: Viewer, onExpired: (reason: string) => void): Disposable {
    const entry = { viewer, onExpired };
    const reason = this.#expiryReason(viewer);
    if (reason !== null) {
      onExpired(reason);
      return { [Symbol.dispose]: () => undefined };
    }
    this.#watched.add(entry);
    this.#scheduleFor(viewer);
    return {
      [Symbol.dispose]: () => {
        this.#watched.delete(entry);
        if (this.#watched.size === 0) this.#stopTimer();
      },
    };
  }

  /** Checks all watched viewers. Called when tokens may have been revoked. */
  checkAll(): void {
    for (const entry of [...this.#watched]) {
      const reason = this.#expiryReason(entry.viewer);
      // A callback may have unsubscribed other entries.
      if (reason === null || !this.#watched.delete(entry)) continue;
      entry.onExpired(reason);
    }
    this.#stopTimer();
    for (const { viewer } of this.#watched) this.#scheduleFor(viewer);
  }

  [Symbol.dispose](): void {
    this.#watched.clear();
    this.#stopTimer();
  }

  #expiryReason(viewer: Viewer): string | null {
    if (viewer.expiresAtMs !== null && viewer.expiresAtMs <= this.#clock.now()) return 'The token has expired';
    return this.#isRevoked(viewer) ? 'The token has been revoked' : null;
  }

  #scheduleFor({ expiresAtMs }: Viewer): void {
    if (expiresAtMs === null) return;
    const nowMs = this.#clock.now();
    const dueMs = Math.min(expiresAtMs, nowMs + CHECK_INTERVAL_MS);
    if (this.#timer !== null && this.#timer.dueMs <= dueMs) return;
    this.#stopTimer();
    this.#timer = { dueMs, schedule: this.#clock.schedule(Math.ceil(dueMs - nowMs), () => this.checkAll()) };
  }

  #stopTimer(): void {
    this.#timer?.schedule[Symbol.dispose]();
    this.#timer = null;
  }
}
