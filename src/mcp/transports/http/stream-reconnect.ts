import type { FetchLike, ReconnectionScheduler } from '@modelcontextprotocol/client';
import { type Clock, ReactionDelay } from '../../../shared/index.js';
import { parseRetryAfterHeader } from './http-errors.js';

/** Time in milliseconds between two reconnects of event streams that end at once: at first, and at most. */
const DELAYS = { initialMs: 1_000, maxMs: 300_000 };

/**
 * Delays the reconnects of the event streams of one session. The official client has no backoff for streams that are opened
 * and end at once, and follows any delay that the server states in the stream.
 */
export class StreamReconnect {
  readonly #clock: Clock;
  readonly #delay: ReactionDelay;
  /** Time before which the server accepts no stream. */
  #notBeforeMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#delay = new ReactionDelay(clock, DELAYS);
  }

  /** Schedules a reconnect. Returns a function that cancels it. */
  readonly schedule: ReconnectionScheduler = (reconnect, statedMs) => {
    const pauseMs = this.#notBeforeMs - this.#clock.monotonic();
    const delayMs = Math.max(pauseMs, Math.min(statedMs, DELAYS.maxMs), this.#delay.next());
    const timer = this.#clock.schedule(delayMs, reconnect);
    return () => timer[Symbol.dispose]();
  };

  /** Wraps `fetch` so that `Retry-After` of a rejected stream delays the next reconnect. */
  watch(inner: FetchLike): FetchLike {
    return async (url, init) => {
      const response = await inner(url, init);
      if (init?.method !== 'GET' || response.ok) return response;
      const retryAfterMs = parseRetryAfterHeader(response.headers.get('retry-after'), this.#clock.now());
      if (retryAfterMs !== null) this.#notBeforeMs = this.#clock.monotonic() + retryAfterMs;
      return response;
    };
  }
}
