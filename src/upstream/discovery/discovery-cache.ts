import type { Clock } from '../../shared/index.js';
import type { DiscoveryCandidate } from '../../model/index.js';
import { discoverServers, type DiscoverOptions } from './discover.js';

/** How old what was found may be before it is looked for again. */
const MAX_AGE_MS = 10_000;

/** What was found in the usual places; looked for when somebody asks, once for all who ask at the same time. */
export class DiscoveryCache implements AsyncDisposable {
  readonly #options: () => Omit<DiscoverOptions, 'signal'>;
  readonly #clock: Clock;
  readonly #stop = new AbortController();
  #last: { readonly found: Promise<readonly DiscoveryCandidate[]>; readonly atMs: number } | null = null;

  constructor(clock: Clock, options: () => Omit<DiscoverOptions, 'signal'>) {
    this.#clock = clock;
    this.#options = options;
  }

  list(): Promise<readonly DiscoveryCandidate[]> {
    const nowMs = this.#clock.monotonic();
    if (this.#last === null || nowMs - this.#last.atMs > MAX_AGE_MS) {
      this.#last = { found: discoverServers({ ...this.#options(), signal: this.#stop.signal }), atMs: nowMs };
    }
    return this.#last.found;
  }

  /** What was found is looked for again when somebody asks. */
  clear(): void {
    this.#last = null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#last?.found.catch(() => undefined);
  }
}
