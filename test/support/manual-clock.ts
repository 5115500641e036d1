import type { Clock } from '../../src/shared/index.js';

/** A clock that stands still until a test moves it. */
export class ManualClock implements Clock {
  readonly #due: { atMs: number; order: number; callback: () => void }[] = [];
  #elapsedMs = 0;
  #order = 0;
  readonly #epochMs: number;

  constructor(epochMs = Date.parse('2026-11-23T15:00:00.000Z')) {
    this.#epochMs = epochMs;
  }

  /** Callbacks that are scheduled. */
  get pending(): number {
    return this.#due.length;
  }

  now(): number {
    return this.#epochMs + this.#elapsedMs;
  }

  monotonic(): number {
    return this.#elapsedMs;
  }

  schedule(delayMs: number, callback: () => void): Disposable {
    const entry = { atMs: this.#elapsedMs + Math.max(0, delayMs), order: this.#order, callback };
    this.#order += 1;
    this.#due.push(entry);
    return {
      [Symbol.dispose]: () => {
        const index = this.#due.indexOf(entry);
        if (index >= 0) this.#due.splice(index, 1);
      },
    };
  }

  /** Moves on, calling back what falls due, in order; what that schedules within the span is called back too. */
  advance(byMs: number): void {
    const untilMs = this.#elapsedMs + byMs;
    for (;;) {
      const next = this.#due
        .filter(({ atMs }) => atMs <= untilMs)
        .sort((a, b) => a.atMs - b.atMs || a.order - b.order)[0];
      if (next === undefined) break;
      this.#due.splice(this.#due.indexOf(next), 1);
      this.#elapsedMs = Math.max(this.#elapsedMs, next.atMs);
      next.callback();
    }
    this.#elapsedMs = untilMs;
  }

  /** Moves on without calling back what fell due meanwhile, as when the event loop is blocked; then calls it back. */
  stall(byMs: number): void {
    this.#elapsedMs += byMs;
    this.advance(0);
  }

  /** `advance`, letting everything that waits for a promise run after each callback's turn. */
  async pass(byMs: number, stepMs = byMs): Promise<void> {
    for (let passed = 0; passed < byMs; passed += stepMs) {
      this.advance(Math.min(stepMs, byMs - passed));
      await settled();
    }
  }
}

/** Resolves when no promise has anything left to do without the outside world. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
