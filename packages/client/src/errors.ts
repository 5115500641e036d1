/**
 * - `ACCESS_DENIED`: the server wants a token, or refused the ones it was given
 * - `CONNECTION_REFUSED`: the server closed the connection in a way that trying again does not mend
 * - `CONNECTION_LOST`: the connection broke while a mutation was under way; nobody knows whether it was done
 * - `CLIENT_CLOSED`: the client, or the stream, was disposed
 */
export type SwarmClientErrorCode = 'ACCESS_DENIED' | 'CONNECTION_REFUSED' | 'CONNECTION_LOST' | 'CLIENT_CLOSED';

/** What ended a client, a stream or an operation from this side. The message says what to do. */
export class SwarmClientError extends Error {
  override readonly name = 'SwarmClientError';
  readonly code: SwarmClientErrorCode;
  /** WebSocket close code, where there was one. */
  readonly closeCode: number | null;

  constructor(code: SwarmClientErrorCode, message: string, closeCode: number | null = null) {
    super(message);
    this.code = code;
    this.closeCode = closeCode;
  }
}
