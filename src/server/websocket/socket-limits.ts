import type { IncomingMessage } from 'node:http';
import type { GraphQLError } from 'graphql';
import { CloseCode } from 'graphql-ws';
import type { WebSocket } from 'ws';
import type { Viewer } from '../../auth/index.js';
import type { LimitCounters } from '../limits/limit-counters.js';
import type { Limits } from '../../config/index.js';
import type { ConcurrencyLimiter } from '../limits/concurrency-limiter.js';
import { TokenBucket } from '../limits/token-bucket.js';
import type { Clock } from '../../shared/index.js';
import { toClientId } from '../graphql-handler.js';
import { limitExceededError } from '../plugins/operation-limits.js';
import type { SubscriptionLimits } from '../plugins/subscription-limits.js';

/** WebSocket close code that clients answer by connecting again, later. */
const TRY_AGAIN_LATER = 1013;
/** A socket that is not read any more is kept this long, so that it can be told why. */
const LAST_WORD_MS = 250;
const INIT_TIMEOUT: number = CloseCode.ConnectionInitialisationTimeout;

export interface SocketLimitsOptions {
  readonly limits: Limits;
  readonly counters: LimitCounters;
  readonly subscriptions: SubscriptionLimits;
  readonly clock: Clock;
}

/** What one WebSocket may still do. */
export class SocketLimits implements Disposable {
  /** Those that run on it. */
  readonly subscriptions: ConcurrencyLimiter;
  readonly #request: IncomingMessage;
  readonly #viewers: ConcurrencyLimiter;
  readonly #options: SocketLimitsOptions;
  readonly #messages: TokenBucket;
  #socket: WebSocket | null = null;
  #seat: Disposable | null = null;
  #end: Disposable | null = null;
  #isOver = false;

  /** @param viewers the WebSockets of each */
  constructor(request: IncomingMessage, viewers: ConcurrencyLimiter, options: SocketLimitsOptions) {
    this.subscriptions = options.subscriptions.forSocket();
    this.#request = request;
    this.#viewers = viewers;
    this.#options = options;
    this.#messages = new TokenBucket(options.clock, options.limits.maxMessagesPerSecond);
  }

  /** Counts what ws itself refuses, and pings and pongs, which are messages that nobody asked for. */
  watch(socket: WebSocket): void {
    this.#socket = socket;
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH') this.#options.counters.hit('maxMessageBytes');
      if (error.code === 'WS_ERR_TOO_MANY_BUFFERED_PARTS') this.#options.counters.hit('maxMessageFragments');
    });
    socket.on('ping', () => this.acceptMessage());
    socket.on('pong', () => this.acceptMessage());
  }

  /** @returns whether a message is looked at; the socket is closed otherwise */
  acceptMessage(): boolean {
    if (this.#messages.take()) return true;
    this.#close('maxMessagesPerSecond', `More than ${this.#options.limits.maxMessagesPerSecond} messages a second`);
    // What is still on its way would be taken apart frame by frame, only to be thrown away.
    this.#socket?.pause();
    this.#end ??= this.#options.clock.schedule(LAST_WORD_MS, () => this.#socket?.terminate());
    return false;
  }

  /** @returns whether whoever it is may have one more WebSocket; it is closed otherwise */
  acceptViewer(viewer: Viewer | null): boolean {
    // Who has left already takes no seat that nobody would give back.
    if (viewer === null || this.#isOver) return false;
    this.#seat = this.#viewers.acquire(toClientId(this.#request, viewer));
    if (this.#seat !== null) return true;
    const { maxConnectionsPerViewer } = this.#options.limits;
    this.#close('maxConnectionsPerViewer', `More than ${maxConnectionsPerViewer} connections of one viewer`);
    return false;
  }

  /**
   * Why an operation is not run; `null`: it is.
   * @param running with this one
   */
  operationRejection(running: number): GraphQLError | null {
    const { limits, counters } = this.#options;
    if (running <= limits.maxOperationsPerSocket) return null;
    counters.hit('maxOperationsPerSocket');
    return limitExceededError(`One WebSocket runs at most ${limits.maxOperationsPerSocket} operations at a time.`);
  }

  /** graphql-ws closes the socket. */
  closing(code: number): void {
    if (code === INIT_TIMEOUT) this.#options.counters.hit('connectionInitTimeoutMs');
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    this.#seat?.[Symbol.dispose]();
    this.#end?.[Symbol.dispose]();
  }

  #close(name: 'maxMessagesPerSecond' | 'maxConnectionsPerViewer', reason: string): void {
    // Once for each socket, whatever else is on its way.
    if (this.#socket?.readyState !== this.#socket?.OPEN) return;
    this.#options.counters.hit(name);
    this.#socket?.close(TRY_AGAIN_LATER, reason);
  }
}
