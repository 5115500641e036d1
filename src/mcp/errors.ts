/** The server answered a call with a JSON-RPC error. The server works; it rejects this call. */
export class ToolRejectedError extends Error {
  override readonly name = 'ToolRejectedError';
  readonly rpcCode: number;
  /** Delay that the server requests before the next call, in milliseconds. Null if it requests none. */
  readonly retryAfterMs: number | null;
  /** `data` of the JSON-RPC error. Undefined if there is none. */
  readonly data: unknown;

  constructor(message: string, rpcCode: number, retryAfterMs: number | null = null, data?: unknown) {
    super(message);
    this.rpcCode = rpcCode;
    this.retryAfterMs = retryAfterMs;
    this.data = data;
  }
}

/** A call was not answered in time. */
export class ToolCallTimeoutError extends Error {
  override readonly name = 'ToolCallTimeoutError';
}

/** The session has ended, because its child process exited or its connection closed. */
export class SessionClosedError extends Error {
  override readonly name = 'SessionClosedError';
  /** Whether the server closed the connection between two messages. It may accept a new connection immediately. */
  readonly isOrderly: boolean;

  constructor(message: string, isOrderly = false) {
    super(message);
    this.isOrderly = isOrderly;
  }
}

/** The server cannot be started or reached, or does not answer in MCP. */
export class TransportError extends Error {
  override readonly name = 'TransportError';
  readonly #isSilent: boolean;

  constructor(message: string, { isSilent = false, ...options }: ErrorOptions & { readonly isSilent?: boolean } = {}) {
    super(message, options);
    this.#isSilent = isSilent;
  }

  /** Whether nothing at all was received within the time limit. */
  get isSilent(): boolean {
    return this.#isSilent;
  }
}

/** A server did not complete the handshake in time. */
export class ConnectTimeoutError extends TransportError {}

/** End of the message of a `TransportError` when a TCP server answers JSON-RPC with HTTP. */
export const SPEAKS_HTTP_MESSAGE = 'the server answered in HTTP';
