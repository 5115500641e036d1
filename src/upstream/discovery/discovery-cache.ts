import type { Clock } from '../../shared/index.js';
import type { DiscoveryCandidate } from '../../model/index.js';
import { discoverServers, type DiscoverOptions } from './discover.js';

/** Maximum age in milliseconds of a cached result. */
const MAX_AGE_MS = 10_000;

/** Caches discovery results. Runs the discovery on demand, once for all concurrent callers. */
export class DiscoveryCache implements AsyncDisposable {
  readonly #options: () => Omit<DiscoverOptions, 'signal'>;
  readonly #clock: Clock;
  readonly #abort = new AbortController();
  #last: { readonly candidates: Promise<readonly DiscoveryCandidate[]>; readonly startedAtMs: number } | null = null;

  constructor(clock: Clock, options: () => Omit<DiscoverOptions, 'signal'>) {
    this.#clock = clock;
    this.#options = options;
  }

  list(): Promise<readonly DiscoveryCandidate[]> {
    const nowMs = this.#clock.monotonic();
    if (this.#last === null || nowMs - this.#last.startedAtMs > MAX_AGE_MS) {
      this.#last = {
        candidates: discoverServers({ ...this.#options(), signal: this.#abort.signal }),
        startedAtMs: nowMs,
      };
    }
    return this.#last.candidates;
  }

  /** Discards the cached result. */
  clear(): void {
    this.#last = null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    await this.#last?.candidates.catch(() => undefined);
  }
}
