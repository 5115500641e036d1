import { SwarmClientError } from '../errors.js';
import type { TokenSource } from '../options.js';
import { CLOSE_FORBIDDEN } from './close-codes.js';

/** Holds the current token and its source, and counts consecutive rejections. */
export class TokenProvider {
  readonly #source: TokenSource | undefined;
  readonly #maxRejections: number;
  /** Current token. Undefined if the source must be called, null to connect without a token. */
  #token: string | null | undefined;
  #rejection: string | null = null;
  #rejections = 0;

  constructor(source: TokenSource | undefined, maxRejections: number) {
    this.#source = source;
    this.#maxRejections = maxRejections;
    if (typeof source !== 'function') this.#token = source ?? null;
  }

  /** Whether the source can return another token. */
  get canRenew(): boolean {
    return typeof this.#source === 'function';
  }

  /**
   * Returns the current token. Requests one if there is none.
   *
   * @throws the error of the source
   * @throws SwarmClientError CLIENT_CLOSED if `signal` aborts
   */
  async get(signal: AbortSignal): Promise<string | null> {
    if (this.#token === undefined) this.#token = await this.request(signal);
    return this.#token;
  }

  /**
   * Requests a token from the source without using it.
   *
   * @throws the error of the source
   * @throws SwarmClientError CLIENT_CLOSED if `signal` aborts
   */
  async request(signal: AbortSignal): Promise<string | null> {
    if (typeof this.#source !== 'function') return this.#source ?? null;
    signal.throwIfAborted();
    let interrupt: () => void = () => undefined;
    const interrupted = new Promise<never>((_, reject) => {
      interrupt = () => reject(new SwarmClientError('CLIENT_CLOSED', 'The token is no longer needed.'));
      signal.addEventListener('abort', interrupt, { once: true });
    });
    try {
      return await Promise.race([this.#source({ rejection: this.#rejection, signal }), interrupted]);
    } finally {
      signal.removeEventListener('abort', interrupt);
    }
  }

  /** Makes `token` the current token. */
  use(token: string | null): void {
    this.#token = token;
  }

  /** Resets the number of rejections, because the server accepted the current token. */
  accepted(): void {
    this.#rejection = null;
    this.#rejections = 0;
  }

  /**
   * Drops the current token, because the server rejected it.
   *
   * @returns the error that closes the client; null if the source may return a better token
   */
  rejected(reason: string): SwarmClientError | null {
    this.#rejections += 1;
    this.#rejection = reason;
    if (this.#source === undefined) return createDeniedError(reason, 'Pass a `token`.');
    if (!this.canRenew) {
      return createDeniedError(
        reason,
        'Create a new client with another `token`, or pass a function that returns tokens.',
      );
    }
    this.#token = undefined;
    if (this.#rejections < this.#maxRejections) return null;
    return createDeniedError(reason, `Rejected ${this.#rejections} times in a row: check what \`token\` returns.`);
  }
}

function createDeniedError(reason: string, advice: string): SwarmClientError {
  const text = reason === '' ? 'The server denied access' : `The server denied access: ${reason}`;
  return new SwarmClientError('ACCESS_DENIED', `${text.replace(/\.$/, '')}. ${advice}`, CLOSE_FORBIDDEN);
}
