import { readFileSync } from 'node:fs';

/** Returns the CPU time of this thread in milliseconds, which other processes do not affect, or else the elapsed time. */
export function threadMs(): number {
  try {
    return Number(readFileSync('/proc/thread-self/schedstat', 'latin1').split(' ')[0]) / 1e6;
  } catch {
    return performance.now();
  }
}

/** Measures the longest turn of the event loop. Each turn that nothing else uses is negligible. */
export class TurnMeter implements Disposable {
  #longestMs = 0;
  #startMs = threadMs();
  #immediate: NodeJS.Immediate;

  constructor() {
    this.#immediate = setImmediate(() => this.#measure());
  }

  /** Returns the longest turn since the last call, in milliseconds. */
  take(): number {
    const longestMs = this.#longestMs;
    this.#longestMs = 0;
    return longestMs;
  }

  [Symbol.dispose](): void {
    clearImmediate(this.#immediate);
  }

  #measure(): void {
    const nowMs = threadMs();
    this.#longestMs = Math.max(this.#longestMs, nowMs - this.#startMs);
    this.#startMs = nowMs;
    this.#immediate = setImmediate(() => this.#measure());
  }
}
