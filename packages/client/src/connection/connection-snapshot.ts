import type { SwarmClientError } from '../errors.js';

/**
 * State of the connection.
 *
 * - `IDLE`: not used yet; the first stream or operation connects
 * - `CONNECTING`: first attempt to connect
 * - `OPEN`: connected
 * - `RECONNECTING`: disconnected; the next attempt is in progress or starts at `retryAt`
 * - `CLOSED`: closed for good, because of `error` or because the client was disposed
 */
export type ConnectionStatus = 'IDLE' | 'CONNECTING' | 'OPEN' | 'RECONNECTING' | 'CLOSED';

/** Connection at one moment. */
export interface ConnectionSnapshot {
  readonly status: ConnectionStatus;
  /** Time of the last change of `status`, in RFC 3339, by this machine's clock. */
  readonly since: string;
  /**
   * Text for users that says why the connection is not open. Null if nothing is wrong. May contain text of the server: never
   * insert it as HTML.
   */
  readonly reason: string | null;
  /** Time of the next attempt, in RFC 3339. Null if an attempt is in progress or none will follow. */
  readonly retryAt: string | null;
  /** Number of consecutive failed attempts. 0 while the connection is open. */
  readonly attempt: number;
  /** Round-trip time of the last ping in milliseconds. Null if no ping has been answered yet. */
  readonly latencyMs: number | null;
  /** Error that closed the client. Null unless `status` is CLOSED, and if the client was disposed. */
  readonly error: SwarmClientError | null;
}
