/** Argument of a token function. */
export interface TokenRequest {
  /** Message with which the server rejected the previous token. Null for the first token and for a renewal. */
  readonly rejection: string | null;
  /** Aborts when the token is no longer needed. */
  readonly signal: AbortSignal;
}

/**
 * Token, or function that returns one. The client calls the function when it connects and shortly before the token expires,
 * and calls it again after a delay if it throws. Null connects without a token.
 */
export type TokenSource = string | ((request: TokenRequest) => string | null | PromiseLike<string | null>);

/** Options of `createSwarmClient`. */
export interface SwarmClientOptions {
  /**
   * Address of swarmlens: `http://…`, `https://…`, `ws://…` or `wss://…`. The path defaults to `/graphql`. May be relative
   * to the page in a browser.
   */
  readonly url: string;
  /** Token without the prefix `Bearer`. Sent in `connection_init`, never in a URL. @default no token */
  readonly token?: TokenSource | undefined;
  /** Upper limit for the update rate of every stream, in updates per second, above 0. @default no limit */
  readonly maxHz?: number | undefined;
  /**
   * WebSocket class for Node.js before version 22: `import { WebSocket } from 'ws'`.
   *
   * @default the platform's own class
   */
  readonly webSocketImpl?: unknown;
  /** Disposes the client when it aborts. */
  readonly signal?: AbortSignal | undefined;
  /** Interval of pings in milliseconds. Pings measure the latency and detect dead connections. @default 10000 */
  readonly pingIntervalMs?: number | undefined;
  /**
   * Delay in milliseconds before the first retry of a connection or stream. Doubles with each failure; half of it is random.
   *
   * @default 500
   */
  readonly retryDelayMs?: number | undefined;
  /** Longest delay before a retry, in milliseconds. @default 30000 */
  readonly maxRetryDelayMs?: number | undefined;
  /**
   * Number of consecutive token rejections that closes the client. Use `Infinity` if a user types the token. A token that
   * is a string is tried only once.
   *
   * @default 2
   */
  readonly maxTokenRejections?: number | undefined;
}
