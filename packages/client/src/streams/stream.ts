import type { SwarmClientError } from '../errors.js';
import type { OperationError } from '../run-operation.js';
import type { SnapshotSource } from '../snapshot-store.js';

/**
 * - `IDLE`: nobody looks; what is shown is what was last known
 * - `WAITING`: for the connection, for the first answer, or to be tried again; what is shown is what was last known
 * - `LIVE`: what is shown is what the server has told
 * - `ENDED`: for good; `error` says why, `null`: it was disposed
 */
export type StreamStatus = 'IDLE' | 'WAITING' | 'LIVE' | 'ENDED';

/** How fast a stream runs, as its last update told. */
export interface StreamRate {
  /** Updates a second that are asked for; 0: only when somebody asks. */
  readonly requestedHz: number;
  /** What is left of that, mean of the last updates. */
  readonly effectiveHz: number;
}

/** What all streams say of themselves. */
export interface StreamSnapshot {
  readonly status: StreamStatus;
  /** What it is WAITING because of, or what ENDED it. */
  readonly error: OperationError | SwarmClientError | null;
}

/**
 * A live part of the picture. It runs while somebody listens or iterates, and goes on where it stood when somebody comes
 * back; after a lost connection too. Whoever iterates too slowly gets what came meanwhile as one update.
 *
 * Iterating ends when the stream is disposed, and throws what ends it otherwise.
 */
export interface LiveStream<TSnapshot extends StreamSnapshot, TUpdate>
  extends SnapshotSource<TSnapshot>, AsyncIterable<TUpdate>, Disposable {
  /** Ends it for good: iterations end, listeners are told. The same as `Symbol.dispose`, which not every browser has. */
  readonly dispose: () => void;
}
