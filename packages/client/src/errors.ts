/**
 * Stable code of a `SwarmClientError`.
 *
 * - `ACCESS_DENIED`: the server requires a token, or rejected the provided ones
 * - `CONNECTION_REFUSED`: the server closed the connection with a code for which a retry does not help
 * - `CONNECTION_LOST`: the connection broke before the response to a mutation; the mutation may have been executed
 * - `CLIENT_CLOSED`: the client or the stream was disposed
 * - `UNSUPPORTED_ENVIRONMENT`: there is no WebSocket class, or no page that a relative `url` could refer to
 */
export type SwarmClientErrorCode =
  'ACCESS_DENIED' | 'CONNECTION_REFUSED' | 'CONNECTION_LOST' | 'CLIENT_CLOSED' | 'UNSUPPORTED_ENVIRONMENT';

/** Error that ends a client, a stream or an operation on the client's side. The message says what to do. */
export class SwarmClientError extends Error {
  override readonly name = 'SwarmClientError';
  readonly code: SwarmClientErrorCode;
  /** WebSocket close code. Null if no close code caused the error. */
  readonly closeCode: number | null;

  constructor(code: SwarmClientErrorCode, message: string, closeCode: number | null = null) {
    super(message);
    this.code = code;
    this.closeCode = closeCode;
  }
}
