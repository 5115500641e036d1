/** The server answered, with a JSON-RPC error: it is alive, this call is not for it. */
export class ToolRejectedError extends Error {
  override readonly name = 'ToolRejectedError';
  readonly rpcCode: number;
  /** How long the server asks to be left alone, when it says so. */
  readonly retryAfterMs: number | null;

  constructor(message: string, rpcCode: number, retryAfterMs: number | null = null) {
    super(message);
    this.rpcCode = rpcCode;
    this.retryAfterMs = retryAfterMs;
  }
}

/** No answer in time. */
export class ToolCallTimeoutError extends Error {
  override readonly name = 'ToolCallTimeoutError';
}

/** The session has ended: the child process is gone, the connection is closed. */
export class SessionClosedError extends Error {
  override readonly name = 'SessionClosedError';
  /** The server closed the connection as one does, between two messages: it may well take the next one at once. */
  readonly isOrderly: boolean;

  constructor(message: string, orderly = false) {
    super(message);
    this.isOrderly = orderly;
  }
}

/** The server cannot be started or reached, or what comes from it is not MCP. */
export class TransportError extends Error {
  override readonly name = 'TransportError';
}

/** How a `TransportError` ends about a server that answers a line of JSON with a line of HTTP. */
export const SPEAKS_HTTP_MESSAGE = 'it speaks HTTP';
