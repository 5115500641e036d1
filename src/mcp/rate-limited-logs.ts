import type { SanitizeStats } from '../shared/sanitize/index.js';
import { toPrintableLine } from '../shared/sanitize/index.js';
import type { Clock, Logger } from '../shared/index.js';

const MIN_INTERVAL_MS = 60_000;
const MAX_MESSAGE_LENGTH = 200;

/** Logs at most once a minute. Entries in between are skipped, so callers log running totals. */
class RateLimitedLog {
  readonly #clock: Clock;
  #loggedAtMs = -Infinity;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  log(write: () => void): void {
    const nowMs = this.#clock.monotonic();
    if (nowMs - this.#loggedAtMs < MIN_INTERVAL_MS) return;
    this.#loggedAtMs = nowMs;
    write();
  }
}

/** Counts what the sanitizer removed from the data of one server, and logs the totals at most once a minute. */
export class SanitizeLog {
  readonly #log: RateLimitedLog;
  readonly #logger: Logger;
  readonly #serverId: string;
  readonly #total: SanitizeStats = { redacted: 0, stripped: 0, cut: 0, dropped: 0 };

  constructor(clock: Clock, logger: Logger, serverId: string) {
    this.#log = new RateLimitedLog(clock);
    this.#logger = logger;
    this.#serverId = serverId;
  }

  record({ redacted, stripped, cut, dropped }: SanitizeStats): void {
    this.#total.redacted += redacted;
    this.#total.stripped += stripped;
    this.#total.cut += cut;
    this.#total.dropped += dropped;
    this.#log.log(() => this.#logger.warn({ serverId: this.#serverId, ...this.#total }, 'sanitized data of server'));
  }
}

/** Counts the messages of one server that belong to no call, and logs the last one at most once a minute. */
export class UnexpectedMessageLog {
  readonly #log: RateLimitedLog;
  readonly #logger: Logger;
  readonly #serverId: string;
  #count = 0;

  constructor(clock: Clock, logger: Logger, serverId: string) {
    this.#log = new RateLimitedLog(clock);
    this.#logger = logger;
    this.#serverId = serverId;
  }

  record(error: Error): void {
    this.#count += 1;
    this.#log.log(() => {
      const last = toPrintableLine(error.message, MAX_MESSAGE_LENGTH);
      this.#logger.debug({ serverId: this.#serverId, count: this.#count, last }, 'unexpected message from server');
    });
  }
}
