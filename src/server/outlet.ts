import type { Duplex } from 'node:stream';
import type { Clock } from '../shared/index.js';

export interface OutletOptions {
  readonly clock: Clock;
  /** Unsent bytes above which a reader counts as slow; at least what the stream itself takes before it says no. */
  readonly maxBufferedBytes: number;
  /** How long a reader may stay slow; `null`: for ever. */
  readonly maxSlowMs: number | null;
  /** Called once, when it has been slow for too long. */
  readonly onTooSlow: () => void;
}

/**
 * The way out to one client. Once more than the mark waits to be sent it is closed until everything has gone: the
 * marks are far apart, so that it does not flutter.
 */
export class Outlet implements Disposable {
  readonly #stream: Duplex;
  readonly #options: OutletOptions;
  readonly #maxBufferedBytes: number;
  readonly #waiting = new Set<() => void>();
  #slow: Disposable | null = null;
  #closed = false;

  constructor(stream: Duplex, options: OutletOptions) {
    this.#stream = stream;
    this.#options = options;
    this.#maxBufferedBytes = Math.max(options.maxBufferedBytes, stream.writableHighWaterMark);
  }

  /** Whether its reader does not keep up. */
  get slow(): boolean {
    return this.#slow !== null;
  }

  get bufferedBytes(): number {
    return this.#stream.writableLength;
  }

  hasRoom(): boolean {
    if (this.#slow !== null || this.#closed) return false;
    if (this.#stream.writableLength <= this.#maxBufferedBytes) return true;
    this.#enterSlow();
    return false;
  }

  /** Calls back whenever there is room again after there was none; dispose to stop. */
  onRoom(callback: () => void): Disposable {
    this.#waiting.add(callback);
    return {
      [Symbol.dispose]: () => {
        this.#waiting.delete(callback);
      },
    };
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    this.#stream.off('drain', this.#leaveSlow);
    this.#slow?.[Symbol.dispose]();
    this.#slow = null;
  }

  #enterSlow(): void {
    const { clock, maxSlowMs, onTooSlow } = this.#options;
    // Above the mark the stream has said no to a write, and so it tells when all has gone.
    this.#stream.once('drain', this.#leaveSlow);
    this.#slow = maxSlowMs === null ? NO_TIMER : clock.schedule(maxSlowMs, onTooSlow);
  }

  readonly #leaveSlow = (): void => {
    this.#slow?.[Symbol.dispose]();
    this.#slow = null;
    for (const callback of [...this.#waiting]) callback();
  };
}

const NO_TIMER: Disposable = { [Symbol.dispose]: () => undefined };
