/** Thrown if the circuit breaker is open. No request was sent. */
export class CircuitOpenError extends Error {
  override readonly name = 'CircuitOpenError';
  /** Time of the next probe, in milliseconds since the epoch. Null if a probe is running. */
  readonly retryAt: number | null;

  constructor(retryAt: number | null) {
    super('circuit breaker is open after too many consecutive failures');
    this.retryAt = retryAt;
  }
}

/** Thrown if too many calls are running and queued. No request was sent. */
export class BulkheadFullError extends Error {
  override readonly name = 'BulkheadFullError';

  constructor() {
    super('too many calls to this server are queued');
  }
}

/** Thrown if too many calls of one client, or of all clients, wait for the endpoint. No request was sent. */
export class ClientShareExceededError extends Error {
  override readonly name = 'ClientShareExceededError';
  /** Estimated time in milliseconds until the waiting calls have been served. */
  readonly retryAfterMs: number;

  /** @param waiting Number of waiting calls of the client. */
  constructor(waiting: number, retryAfterMs: number) {
    super(`too many calls of clients wait for this server, ${waiting} of them of this client`);
    this.retryAfterMs = retryAfterMs;
  }
}

/** Thrown inside the guard if the caller has aborted the call, which counts neither as success nor as failure. */
export class CallAbortedError extends Error {
  override readonly name = 'CallAbortedError';
}
