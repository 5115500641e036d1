import type { IncomingMessage } from 'node:http';
import type { Authenticator, Viewer } from '../../auth/index.js';
import type { Limits } from '../../config/index.js';
import { identifyClient, toClientId } from './client-identity.js';
import type { LimitCounters } from './limit-counters.js';
import { ClientRateLimiter, type RateLimiterFactory } from './rate-limiter.js';

/** Request as far as its admission needs it. */
export type AdmittedRequest = Pick<IncomingMessage, 'socket' | 'headers'>;

export interface RequestAdmissionOptions {
  readonly authenticator: Authenticator;
  readonly limits: Limits;
  readonly counters: LimitCounters;
  readonly createRateLimiter: RateLimiterFactory;
}

/**
 * Admits requests and operations of every transport: authenticates them and counts them against one rate per client, the
 * subject of its token or its network. Failed authentications count for the network.
 */
export class RequestAdmission {
  readonly #authenticator: Authenticator;
  readonly #rate: ClientRateLimiter;
  readonly #limitText: string;

  constructor({ authenticator, limits, counters, createRateLimiter }: RequestAdmissionOptions) {
    const { maxRequestsPerSecond } = limits;
    this.#authenticator = authenticator;
    this.#rate = new ClientRateLimiter('maxRequestsPerSecond', maxRequestsPerSecond, createRateLimiter, counters);
    this.#limitText = `At most ${maxRequestsPerSecond} requests per second are allowed`;
  }

  /**
   * Authenticates and counts an HTTP request.
   * @throws SwarmlensError UNAUTHENTICATED, SERVER_UNAVAILABLE, RATE_LIMITED with `retryAfterMs`
   */
  async admit(request: AdmittedRequest): Promise<Viewer> {
    const viewer = await this.authenticate(request, request.headers.authorization ?? null);
    await this.count(request, viewer);
    return viewer;
  }

  /**
   * Authenticates a client. Counts a request if it fails.
   * @param authorization value of an `Authorization` header or of `connection_init`
   * @throws SwarmlensError UNAUTHENTICATED, SERVER_UNAVAILABLE, RATE_LIMITED with `retryAfterMs`
   */
  async authenticate(request: AdmittedRequest, authorization: string | null): Promise<Viewer> {
    // A closed socket has no address.
    identifyClient(request);
    try {
      return await this.#authenticator.authenticate(authorization);
    } catch (error) {
      await this.count(request, null);
      throw error;
    }
  }

  /** Returns an authenticator of one WebSocket that counts failed authentications. */
  forSocket(request: AdmittedRequest): Pick<Authenticator, 'authenticate' | 'watch'> {
    return {
      authenticate: (authorization) => this.authenticate(request, authorization),
      watch: (viewer, onExpired) => this.#authenticator.watch(viewer, onExpired),
    };
  }

  /**
   * Counts one operation over a WebSocket, or one request without a viewer.
   * @throws SwarmlensError RATE_LIMITED with `retryAfterMs`
   */
  async count(request: AdmittedRequest, viewer: Viewer | null): Promise<void> {
    await this.#rate.consume(toClientId(request, viewer?.subject ?? null), this.#limitText);
  }
}
