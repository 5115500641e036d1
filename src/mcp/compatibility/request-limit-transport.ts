import type { Transport } from '@modelcontextprotocol/client';
import type { Clock } from '../../shared/index.js';
import { TransportDecorator } from './transport-decorator.js';

type Received = NonNullable<Transport['onmessage']>;

/** Number of requests of a server that are answered per second, and at once after a pause. */
const MAX_REQUESTS_PER_S = 10;

/** Most requests that wait for their answer. Servers that ask for the same thing in several places send some at once. */
const MAX_WAITING = 64;

/**
 * Limits how many requests of a server are answered per second, such as `ping` or `roots/list`. Each answer costs a message, and
 * over HTTP a request. Further requests are reported as errors. Some of them are answered later, because the server may wait for
 * an answer before it answers a call; the others are dropped.
 */
export class RequestLimitTransport extends TransportDecorator {
  readonly #clock: Clock;
  readonly #waiting: Parameters<Received>[] = [];
  #timer: Disposable | null = null;
  #available = MAX_REQUESTS_PER_S;
  #updatedAtMs: number;

  constructor(inner: Transport, clock: Clock) {
    super(inner);
    this.#clock = clock;
    this.#updatedAtMs = clock.monotonic();
  }

  override close(): Promise<void> {
    this.#waiting.length = 0;
    this.#timer?.[Symbol.dispose]();
    this.#timer = null;
    return super.close();
  }

  protected override received(...received: Parameters<Received>): void {
    const [message] = received;
    if (!('method' in message && 'id' in message)) super.received(...received);
    else if (this.#waiting.length === 0 && this.#take()) super.received(...received);
    else {
      if (this.#waiting.length < MAX_WAITING) this.#waiting.push(received);
      this.onerror?.(new Error(`more than ${MAX_REQUESTS_PER_S} requests of the server per second`));
      this.#schedule();
    }
  }

  #schedule(): void {
    if (this.#waiting.length === 0) return;
    const delayMs = Math.max(1, ((1 - this.#available) / MAX_REQUESTS_PER_S) * 1_000);
    this.#timer ??= this.#clock.schedule(delayMs, () => this.#answerWaiting());
  }

  #answerWaiting(): void {
    this.#timer = null;
    while (this.#waiting.length > 0 && this.#take()) {
      const received = this.#waiting.shift();
      if (received !== undefined) super.received(...received);
    }
    this.#schedule();
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
