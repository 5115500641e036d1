import { BulkheadFullError, CircuitOpenError } from '../guard/errors.js';

/** No replica is connected: nothing was sent. */
export class NotConnectedError extends Error {
  override readonly name = 'NotConnectedError';
}

/** The caller goes on with what it knew of one replica, and another one is in use now: nothing was sent. */
export class PrimaryChangedError extends Error {
  override readonly name = 'SeatLostError';

  constructor(replicaId: string) {
    super(`${replicaId} is not in use any more`);
  }
}

/** Whether it is certain that the server was not asked. */
export function wasNotSent(error: unknown): boolean {
  return (
    error instanceof NotConnectedError ||
    error instanceof PrimaryChangedError ||
    error instanceof CircuitOpenError ||
    error instanceof BulkheadFullError
  );
}
