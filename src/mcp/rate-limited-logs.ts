import type { SanitizeStats } from '../shared/sanitize/index.js';
import type { Clock } from '../shared/index.js';
import type { Logger } from '../telemetry/index.js';

const MIN_INTERVAL_MS = 60_000;

/** Counts what was taken out of, or cut from, what a server sends, and says so in the log at most once a minute. */
export class SanitizeLog {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #serverId: string;
  readonly #total: SanitizeStats = { redacted: 0, stripped: 0, cut: 0, dropped: 0 };
  #loggedAtMs = -Infinity;

  constructor(clock: Clock, logger: Logger, serverId: string) {
    this.#clock = clock;
    this.#logger = logger;
    this.#serverId = serverId;
  }

  record({ redacted, stripped, cut, dropped }: SanitizeStats): void {
    this.#total.redacted += redacted;
    this.#total.stripped += stripped;
    this.#total.cut += cut;
    this.#total.dropped += dropped;
    const nowMs = this.#clock.monotonic();
    if (nowMs - this.#loggedAtMs < MIN_INTERVAL_MS) return;
    this.#loggedAtMs = nowMs;
    this.#logger.warn(
      { serverId: this.#serverId, ...this.#total },
      'server sent secrets, control characters or too much',
    );
  }
}
