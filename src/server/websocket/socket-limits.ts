import type { IncomingMessage } from 'node:http';
import { GraphQLError } from 'graphql';
import { CloseCode } from 'graphql-ws';
import type { Viewer } from '../../auth/index.js';
import type { LimitCounters } from '../limits/limit-counters.js';
import type { Limits } from '../../config/index.js';
import type { ConcurrencyLimiter } from '../limits/concurrency-limiter.js';
import type { RequestAdmission } from '../limits/request-admission.js';
import { TokenBucket } from '../limits/token-bucket.js';
import { CLOSE_TRY_AGAIN_LATER, type Clock, SwarmlensError } from '../../shared/index.js';
import { toClientId } from '../limits/client-identity.js';
import { limitExceededError } from '../plugins/operation-limits.js';
import type { Connection } from './connection.js';
import type { SubscriptionLimits } from '../plugins/subscription-limits.js';

/** Time for the close frame to be sent before a WebSocket that is no longer read is terminated. */
const CLOSE_GRACE_MS = 250;
const CLOSE_INIT_TIMEOUT: number = CloseCode.ConnectionInitialisationTimeout;

export interface SocketLimitsOptions {
  readonly limits: Limits;
  readonly counters: LimitCounters;
  readonly subscriptions: SubscriptionLimits;
  /** Admission of all transports, against whose rate operations count. */
  readonly requests: Pick<RequestAdmission, 'count'>;
  readonly clock: Clock;
}

/** Limits of one WebSocket: messages per second, operations, subscriptions and WebSockets per viewer. */
export class SocketLimits implements Disposable {
  /** Limiter of the subscriptions that run on this WebSocket. */
  readonly subscriptions: ConcurrencyLimiter;
  readonly #request: IncomingMessage;
  readonly #viewers: ConcurrencyLimiter;
  readonly #options: SocketLimitsOptions;
  readonly #messages: TokenBucket;
  #connection: Connection | null = null;
  #admission: Disposable | null = null;
  #termination: Disposable | null = null;
  #isClosed = false;

  /** @param viewers limiter of the WebSockets of each viewer */
  constructor(request: IncomingMessage, viewers: ConcurrencyLimiter, options: SocketLimitsOptions) {
    this.subscriptions = options.subscriptions.forSocket();
    this.#request = request;
    this.#viewers = viewers;
    this.#options = options;
    this.#messages = new TokenBucket(options.clock, options.limits.maxMessagesPerSecond);
  }

  /** Counts messages that `ws` rejects, and pings and pongs as messages. */
  watch(connection: Connection): void {
    const { socket } = connection;
    this.#connection = connection;
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH') this.#options.counters.hit('maxMessageBytes');
      if (error.code === 'WS_ERR_TOO_MANY_BUFFERED_PARTS') this.#options.counters.hit('maxMessageFragments');
    });
    socket.on('ping', () => this.acceptMessage());
    socket.on('pong', () => this.acceptMessage());
  }

  /** Counts a message. @returns whether it may be processed; the WebSocket is closed otherwise */
  acceptMessage(): boolean {
    if (this.#messages.take()) return true;
    this.#close('maxMessagesPerSecond', `More than ${this.#options.limits.maxMessagesPerSecond} messages per second`);
    // Parsing the frames that still arrive would be wasted work.
    this.#connection?.socket.pause();
    this.#termination ??= this.#options.clock.schedule(CLOSE_GRACE_MS, () => this.#connection?.terminate());
    return false;
  }

  /** Counts this WebSocket for its viewer. @returns whether it may stay open; it is closed otherwise */
  acceptViewer(viewer: Viewer | null): boolean {
    // An admission after `dispose` would never be released.
    if (viewer === null || this.#isClosed) return false;
    this.#admission = this.#viewers.acquire(toClientId(this.#request, viewer.subject));
    if (this.#admission !== null) return true;
    const { maxConnectionsPerViewer } = this.#options.limits;
    this.#close('maxConnectionsPerViewer', `More than ${maxConnectionsPerViewer} connections per viewer`);
    return false;
  }

  /**
   * Counts an operation. Returns why it is rejected, or null if it may run.
   * @param running number of running operations, including this one
   */
  async operationRejection(running: number, viewer: Viewer | null): Promise<GraphQLError | null> {
    const { limits, counters, requests } = this.#options;
    if (running > limits.maxOperationsPerSocket) {
      counters.hit('maxOperationsPerSocket');
      return limitExceededError(
        `At most ${limits.maxOperationsPerSocket} operations may run at a time on one WebSocket.`,
      );
    }
    try {
      await requests.count(this.#request, viewer);
      return null;
    } catch (error) {
      if (!(error instanceof SwarmlensError)) throw error;
      return new GraphQLError(error.message, { extensions: { code: error.code, ...error.details } });
    }
  }

  /** Records that graphql-ws closes the WebSocket. */
  recordClose(code: number): void {
    if (code === CLOSE_INIT_TIMEOUT) this.#options.counters.hit('connectionInitTimeoutMs');
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    this.#admission?.[Symbol.dispose]();
    this.#termination?.[Symbol.dispose]();
  }

  #close(name: 'maxMessagesPerSecond' | 'maxConnectionsPerViewer', reason: string): void {
    // Count each WebSocket once, although more messages may arrive.
    if (this.#connection?.isOpen !== true) return;
    this.#options.counters.hit(name);
    this.#connection.close(CLOSE_TRY_AGAIN_LATER, reason);
  }
}
