/** Why a token is asked for, and until when. */
export interface TokenRequest {
  /** The server's words, when it did not accept the token before; `null`: there was none, or it is to be renewed in time. */
  readonly rejection: string | null;
  /** Aborted when nobody waits for the token any more. */
  readonly signal: AbortSignal;
}

/**
 * A token, or what gets one: called when a connection is made and shortly before the token expires. It may take its
 * time, and may throw: it is called again after a pause. `null`: go without a token.
 */
export type TokenSource = string | ((request: TokenRequest) => string | null | PromiseLike<string | null>);

export interface SwarmClientOptions {
  /** Where swarmlens is: `http://…`, `https://…`, `ws://…` or `wss://…`; without a path, `/graphql` is meant. In a browser it may be relative to the page. */
  readonly url: string;
  /** The bare token, without `Bearer`. It is sent in `connection_init`, never in a URL. @default none */
  readonly token?: TokenSource | undefined;
  /** Updates a second that can be drawn: caps every stream. Above 0. @default no cap */
  readonly maxHz?: number | undefined;
  /** A WebSocket class, for Node.js before 22: `import { WebSocket } from 'ws'`. @default the one of the platform */
  readonly webSocketImpl?: unknown;
  /** Disposes the client when it is aborted. */
  readonly signal?: AbortSignal | undefined;
  /** Between two pings, which measure the latency and find a connection that is dead, milliseconds. @default 10000 */
  readonly pingIntervalMs?: number | undefined;
  /** First pause before a connection, or a stream, is tried again, milliseconds; it doubles, and half of it is by chance. @default 500 */
  readonly retryDelayMs?: number | undefined;
  /** The longest of these pauses, milliseconds. @default 30000 */
  readonly maxRetryDelayMs?: number | undefined;
  /**
   * Tokens in a row that the server may refuse until the client gives up. Where a person types them, say `Infinity`. A
   * token that is a string is refused once.
   * @default 2
   */
  readonly maxTokenRejections?: number | undefined;
}
