import type { Clock } from '../shared/index.js';
import type { Logger } from '../telemetry/index.js';
import { toPrintableLine } from '../shared/sanitize/index.js';

const MIN_INTERVAL_MS = 60_000;
const MAX_LENGTH = 200;

/** Counts what a server sends that belongs to no call, and logs it at debug level at most once a minute. */
export class UnexpectedMessageLog {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #serverId: string;
  #count = 0;
  #loggedAtMs = -Infinity;

  constructor(clock: Clock, logger: Logger, serverId: string) {
    this.#clock = clock;
    this.#logger = logger;
    this.#serverId = serverId;
  }

  record(error: Error): void {
    this.#count += 1;
    const nowMs = this.#clock.monotonic();
    if (nowMs - this.#loggedAtMs < MIN_INTERVAL_MS) return;
    this.#loggedAtMs = nowMs;
    const last = toPrintableLine(error.message, MAX_LENGTH);
    this.#logger.debug({ serverId: this.#serverId, count: this.#count, last }, 'server sent what belongs to no call');
  }
}
