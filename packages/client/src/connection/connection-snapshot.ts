import type { SwarmClientError } from '../errors.js';

/**
 * - `IDLE`: nothing has needed a connection yet; the first stream or operation makes one
 * - `CONNECTING`: for the first time
 * - `OPEN`
 * - `RECONNECTING`: it is lost, and is tried again at `retryAt`, or being tried now
 * - `CLOSED`: for good; `error` says why, `null`: the client was disposed
 */
export type ConnectionStatus = 'IDLE' | 'CONNECTING' | 'OPEN' | 'RECONNECTING' | 'CLOSED';

/** The connection as it is now. */
export interface ConnectionSnapshot {
  readonly status: ConnectionStatus;
  /** Since when, RFC 3339, by this machine's clock. */
  readonly since: string;
  /** Why it is not open, for a person; `null`: nothing is wrong. */
  readonly reason: string | null;
  /** When it is tried again, RFC 3339; `null`: now, or never. */
  readonly retryAt: string | null;
  /** How many times it has been tried in a row. 0: it is open. */
  readonly attempt: number;
  /** Round trip of the last ping, milliseconds; `null`: not known yet. */
  readonly latencyMs: number | null;
  /** Why it is CLOSED for good. */
  readonly error: SwarmClientError | null;
}
