import type * as Jose from 'jose';
import { type Clock, errorMessage, type Logger } from '../shared/index.js';

export interface RemoteKeySetOptions {
  readonly url: string;
  /** Minimum time between two requests that tokens with unknown key ids cause, or that follow a failed request. */
  readonly cooldownMs: number;
}

const TIMEOUT_MS = 5_000;
/** Age from which on the keys are requested again. */
const MAX_AGE_MS = 600_000;
/** Age up to which the keys are used while the URL is unavailable. */
const MAX_STALE_AGE_MS = 3_600_000;

/** The keys of the issuer cannot be fetched. Tokens cannot be verified now. */
export class KeySetUnavailableError extends Error {
  override readonly name = 'KeySetUnavailableError';
}

/**
 * Key set by URL. Requests the keys on first use, when they are ten minutes old, and for an unknown key id. While the URL is
 * unavailable, uses the last keys for up to an hour. Logs an outage once, and its end.
 */
export class RemoteKeySet {
  readonly #options: RemoteKeySetOptions;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #jose: typeof Jose;
  readonly #remote: ReturnType<typeof Jose.createRemoteJWKSet>;
  /** Last keys. Null before the first successful request. */
  #local: Jose.JWTVerifyGetKey | null = null;
  #fetchedAtMs = -Infinity;
  #requestedAtMs = -Infinity;
  /** Error of the last request. Null if it succeeded. */
  #failure: string | null = null;
  #pending: Promise<void> | null = null;

  constructor(
    options: RemoteKeySetOptions,
    deps: { readonly clock: Clock; readonly logger: Logger },
    jose: typeof Jose,
  ) {
    this.#options = options;
    this.#clock = deps.clock;
    this.#logger = deps.logger;
    this.#jose = jose;
    this.#remote = jose.createRemoteJWKSet(new URL(options.url), { timeoutDuration: TIMEOUT_MS });
  }

  /** Finds the key of a token. @throws KeySetUnavailableError, or an error of jose */
  readonly find: Jose.JWTVerifyGetKey = async (header, token) => {
    if (this.#ageMs >= MAX_AGE_MS && (this.#isCooledDown || this.#ageMs >= MAX_STALE_AGE_MS)) await this.#refresh();
    try {
      return await this.#current()(header, token);
    } catch (error) {
      if (!(error instanceof this.#jose.errors.JWKSNoMatchingKey)) throw error;
    }
    if (this.#isCooledDown) await this.#refresh();
    // The key may be among those that could not be fetched.
    if (this.#failure !== null) throw new KeySetUnavailableError(this.#failure);
    return await this.#current()(header, token);
  };

  get #ageMs(): number {
    return this.#clock.monotonic() - this.#fetchedAtMs;
  }

  get #isCooledDown(): boolean {
    return this.#clock.monotonic() - this.#requestedAtMs >= this.#options.cooldownMs;
  }

  /** Returns the last keys. @throws KeySetUnavailableError if there are none, or they are too old */
  #current(): Jose.JWTVerifyGetKey {
    if (this.#local !== null && this.#ageMs < MAX_STALE_AGE_MS) return this.#local;
    throw new KeySetUnavailableError(this.#failure ?? 'the keys are too old');
  }

  /** Requests the keys. Concurrent calls share one request. */
  #refresh(): Promise<void> {
    this.#pending ??= this.#request().finally(() => (this.#pending = null));
    return this.#pending;
  }

  async #request(): Promise<void> {
    const requestedAtMs = this.#clock.monotonic();
    this.#requestedAtMs = requestedAtMs;
    try {
      await this.#remote.reload();
      if (this.#failure !== null) this.#logger.info({}, 'the keys for token verification were fetched again');
      this.#failure = null;
      const keys = this.#remote.jwks();
      this.#local = keys === undefined ? null : this.#jose.createLocalJWKSet(keys);
      this.#fetchedAtMs = requestedAtMs;
    } catch (error) {
      const message = errorMessage(error);
      if (this.#failure === null) {
        this.#logger.error(
          { error: message },
          'fetching the keys for token verification failed, the last keys are used for up to an hour',
        );
      }
      this.#failure = message;
    }
  }
}
