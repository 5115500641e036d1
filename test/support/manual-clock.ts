import type { Clock } from '../../src/shared/index.js';

/** Clock that stands still until a test advances it. */
export class ManualClock implements Clock {
  readonly #due: { atMs: number; order: number; callback: () => void }[] = [];
  #elapsedMs = 0;
  #order = 0;
  readonly #epochMs: number;

  constructor(epochMs = Date.parse('2026-11-23T15:00:00.000Z')) {
    this.#epochMs = epochMs;
  }

  /** Number of scheduled callbacks. */
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

  /** Advances the clock and runs all due callbacks in order, including those that a callback schedules meanwhile. */
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

  /** Advances the clock first and runs the due callbacks afterwards, as a blocked event loop does. */
  stall(byMs: number): void {
    this.#elapsedMs += byMs;
    this.advance(0);
  }

  /** Advances the clock in steps and lets pending promises settle after each step. */
  async pass(byMs: number, stepMs = byMs): Promise<void> {
    for (let passed = 0; passed < byMs; passed += stepMs) {
      this.advance(Math.min(stepMs, byMs - passed));
      await settled();
    }
  }
}

/** Resolves when all promises that do not depend on I/O have settled. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
