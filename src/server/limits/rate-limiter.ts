import { type RateLimiterAbstract, RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import type { LimitedClient } from '../../schema/index.js';
import { SwarmlensError } from '../../shared/index.js';
import type { LimitCounters, LimitName } from './limit-counters.js';

/** Creates a rate limiter of rate-limiter-flexible, in memory or in a store that all nodes share. */
export type RateLimiterFactory = (options: {
  /** Key prefix that separates this rate from others in a shared store. */
  readonly keyPrefix: string;
  readonly points: number;
  /** Duration in seconds in which `points` requests are allowed. */
  readonly duration: number;
}) => Pick<RateLimiterAbstract, 'consume'>;

export const createMemoryRateLimiter: RateLimiterFactory = (options) => new RateLimiterMemory(options);

/** Limits the rate of one action for each client. */
export class ClientRateLimiter {
  readonly #limiter: Pick<RateLimiterAbstract, 'consume'>;
  readonly #name: LimitName;
  readonly #counters: LimitCounters;

  constructor(name: LimitName, perSecond: number, create: RateLimiterFactory, counters: LimitCounters) {
    this.#limiter = create({ keyPrefix: name, points: perSecond, duration: 1 });
    this.#name = name;
    this.#counters = counters;
  }

  /**
   * Counts one action of a client.
   * @param limitText start of the error message, for example `At most 5 requests per second are allowed`
   * @throws SwarmlensError RATE_LIMITED with `retryAfterMs`
   */
  async consume(key: string, limitText: string): Promise<void> {
    try {
      await this.#limiter.consume(key);
    } catch (error) {
      if (!(error instanceof RateLimiterRes)) throw error;
      this.#counters.hit(this.#name);
      const retryAfterMs = error.msBeforeNext;
      throw new SwarmlensError('RATE_LIMITED', `${limitText}. Retry in ${retryAfterMs} ms.`, { retryAfterMs });
    }
  }
}

export interface OncePerSecondLimiterOptions {
  readonly createRateLimiter: RateLimiterFactory;
  readonly counters: LimitCounters;
  /** Maximum number of uses of one action per second and address without authentication. */
  readonly maxActionsPerAddress: number;
}

/**
 * Limits actions to one per second and client. Clients without a token are distinguished by their connections, so that people
 * behind one address do not share the limit. The address has a larger limit, which new connections do not evade.
 */
export class OncePerSecondLimiter {
  readonly #clients: ClientRateLimiter;
  readonly #addresses: ClientRateLimiter;
  readonly #maxPerAddress: number;

  constructor({ createRateLimiter, counters, maxActionsPerAddress }: OncePerSecondLimiterOptions) {
    this.#clients = new ClientRateLimiter('oncePerSecond', 1, createRateLimiter, counters);
    this.#addresses = new ClientRateLimiter('maxActionsPerAddress', maxActionsPerAddress, createRateLimiter, counters);
    this.#maxPerAddress = maxActionsPerAddress;
  }

  /** Counts one action of a client. @throws SwarmlensError RATE_LIMITED with `retryAfterMs` */
  async consume(action: string, { clientId, connectionId }: LimitedClient): Promise<void> {
    await this.#clients.consume(`${action} ${connectionId ?? clientId}`, `"${action}" is allowed once per second`);
    if (connectionId === null) return;
    const limitText = `"${action}" is allowed ${this.#maxPerAddress} times per second and address`;
    await this.#addresses.consume(`${action} ${clientId}`, limitText);
  }
}
