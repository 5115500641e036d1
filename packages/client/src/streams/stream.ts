/// <reference lib="esnext.disposable" preserve="true" />
import type { SwarmClientError } from '../errors.js';
import type { OperationError } from '../run-operation.js';
import type { SnapshotSource } from '../snapshot-store.js';

/**
 * State of a stream.
 *
 * - `IDLE`: not running, because it has no listeners or iterators; the snapshot holds the last known data
 * - `WAITING`: waiting for the connection, the first response or a retry; the snapshot holds the last known data
 * - `LIVE`: the snapshot is up to date
 * - `ENDED`: ended for good, because of `error` or because it was disposed
 */
export type StreamStatus = 'IDLE' | 'WAITING' | 'LIVE' | 'ENDED';

/** Update rates of a stream as of its last update. */
export interface StreamRate {
  /** Requested updates per second. 0 for updates on demand only. */
  readonly requestedHz: number;
  /** Mean rate of the last updates, in updates per second. */
  readonly effectiveHz: number;
}

/** Part that the snapshots of all streams have in common. */
export interface StreamSnapshot {
  readonly status: StreamStatus;
  /** Error that made the stream wait or end. Null if there is none. */
  readonly error: OperationError | SwarmClientError | null;
}

/**
 * Live data as a store and as an async iterable. A stream runs while it has listeners or iterators. It resumes after a lost
 * connection, and when it is observed again. An iterator receives all updates that arrived while its consumer was busy as one.
 *
 * Iteration ends when the stream is disposed, and throws the error that ends the stream otherwise.
 */
export interface LiveStream<TSnapshot extends StreamSnapshot, TUpdate>
  extends SnapshotSource<TSnapshot>, AsyncIterable<TUpdate>, Disposable {
  /**
   * Ends the stream for good. The same function as `Symbol.dispose`, for platforms that do not define that symbol.
   */
  readonly dispose: () => void;
}
