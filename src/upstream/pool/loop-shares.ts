import type { Clock } from '../../shared/index.js';

/** Share of the event loop that the answers of all servers together may take. */
const TOTAL_SHARE = 0.5;
/** Time in milliseconds that a server may use ahead of its share. */
const BURST_MS = 20;
/** Time constant in milliseconds of the recent use of the event loop. */
const WINDOW_MS = 2_000;

/** Divides the event loop between the answers of all servers. A server gets what the others leave, and at least a fair share. */
export class LoopShares {
  readonly #clock: Clock;
  readonly #shares = new Set<LoopShare>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Opens the share of one server. Dispose the result to return it to the others. */
  open(): LoopShare {
    const share: LoopShare = new LoopShare(this.#clock, {
      allowed: () => this.#allowed(share),
      close: () => this.#shares.delete(share),
    });
    this.#shares.add(share);
    return share;
  }

  #allowed(share: LoopShare): number {
    let used = 0;
    for (const other of this.#shares) if (other !== share) used += other.used;
    return Math.max(TOTAL_SHARE / Math.max(1, this.#shares.size), TOTAL_SHARE - used);
  }
}

/** Time on the event loop that the answers of one server take, and its limit. */
export class LoopShare implements Disposable {
  readonly #clock: Clock;
  readonly #owner: { readonly allowed: () => number; readonly close: () => void };
  /** Recent use in milliseconds, which decays. */
  #recentMs = 0;
  /** Used time in milliseconds that the share has not covered yet. */
  #debtMs = 0;
  #updatedAtMs: number;

  constructor(clock: Clock, owner: { readonly allowed: () => number; readonly close: () => void }) {
    this.#clock = clock;
    this.#owner = owner;
    this.#updatedAtMs = clock.monotonic();
  }

  /** Share of the event loop that the server used recently. */
  get used(): number {
    // Does not update the debt, which depends on the use of the other shares, and so on.
    return decay(this.#recentMs, this.#clock.monotonic() - this.#updatedAtMs) / WINDOW_MS;
  }

  /** Time in milliseconds after which the server has a share again. 0 if it has one. */
  get readyInMs(): number {
    this.#update();
    return this.#debtMs <= BURST_MS ? 0 : (this.#debtMs - BURST_MS) / this.#owner.allowed();
  }

  /** Runs work and counts the time that it takes in this turn of the event loop. */
  measure<T>(work: () => T): T {
    this.#update();
    try {
      return work();
    } finally {
      const nowMs = this.#clock.monotonic();
      const busyMs = nowMs - this.#updatedAtMs;
      this.#updatedAtMs = nowMs;
      this.#recentMs += busyMs;
      this.#debtMs += busyMs * (1 - this.#owner.allowed());
    }
  }

  [Symbol.dispose](): void {
    this.#owner.close();
  }

  #update(): void {
    const nowMs = this.#clock.monotonic();
    const elapsedMs = nowMs - this.#updatedAtMs;
    if (elapsedMs <= 0) return;
    this.#updatedAtMs = nowMs;
    this.#recentMs = decay(this.#recentMs, elapsedMs);
    if (this.#debtMs > 0) this.#debtMs = Math.max(0, this.#debtMs - elapsedMs * this.#owner.allowed());
  }
}

function decay(recentMs: number, elapsedMs: number): number {
  return recentMs * Math.exp(-elapsedMs / WINDOW_MS);
}
