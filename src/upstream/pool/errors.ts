import { BulkheadFullError, CircuitOpenError, ClientShareExceededError } from '../guard/errors.js';

/** Thrown if no replica is connected. No request was sent. */
export class NotConnectedError extends Error {
  override readonly name = 'NotConnectedError';
}

/** Thrown if the caller relies on a primary session that another replica has replaced. No request was sent. */
export class PrimaryChangedError extends Error {
  override readonly name = 'PrimaryChangedError';

  constructor(replicaId: string) {
    super(`${replicaId} is no longer the primary replica`);
  }
}

/** Returns whether an error proves that no request was sent to the server. */
export function wasNotSent(error: unknown): boolean {
  return (
    error instanceof NotConnectedError ||
    error instanceof PrimaryChangedError ||
    error instanceof CircuitOpenError ||
    error instanceof BulkheadFullError ||
    error instanceof ClientShareExceededError
  );
}
