import type { JSONRPCMessage, Transport } from '@modelcontextprotocol/client';
import type { Clock } from '../../shared/index.js';
import { TransportDecorator } from './transport-decorator.js';

/** Number of requests of a server that are answered per second, and at once after a pause. */
const MAX_REQUESTS_PER_S = 10;

/**
 * Limits how many requests of a server are answered, such as `ping` or `roots/list`. Each answer costs a message, and over
 * HTTP a request. Further requests are dropped and reported as errors.
 */
export class RequestLimitTransport extends TransportDecorator {
  readonly #clock: Clock;
  #available = MAX_REQUESTS_PER_S;
  #updatedAtMs: number;

  constructor(inner: Transport, clock: Clock) {
    super(inner);
    this.#clock = clock;
    this.#updatedAtMs = clock.monotonic();
  }

  protected override received(
    message: JSONRPCMessage,
    extra: Parameters<NonNullable<Transport['onmessage']>>[1],
  ): void {
    if (!('method' in message && 'id' in message) || this.#take()) super.received(message, extra);
    else this.onerror?.(new Error(`more than ${MAX_REQUESTS_PER_S} requests of the server per second`));
  }

  /** Returns whether one more request may be answered now. */
  #take(): boolean {
    const nowMs = this.#clock.monotonic();
    const earned = ((nowMs - this.#updatedAtMs) / 1_000) * MAX_REQUESTS_PER_S;
    this.#available = Math.min(MAX_REQUESTS_PER_S, this.#available + earned);
    this.#updatedAtMs = nowMs;
    if (this.#available < 1) return false;
    this.#available -= 1;
    return true;
  }
}
