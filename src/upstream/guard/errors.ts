/** The breaker is open: the server was not asked. */
export class CircuitOpenError extends Error {
  override readonly name = 'CircuitOpenError';
  /** When a probe will be let through, milliseconds since the epoch; `null` when one is under way. */
  readonly retryAt: number | null;

  constructor(retryAt: number | null) {
    super('circuit breaker is open after too many failures in a row');
    this.retryAt = retryAt;
  }
}

/** Too many calls are under way and waiting already: the server was not asked. */
export class BulkheadFullError extends Error {
  override readonly name = 'BulkheadFullError';

  constructor() {
    super('too many calls to this server are waiting already');
  }
}

/** The caller has given up: neither a failure of the server nor a success. Does not leave this room. */
export class CallAbortedError extends Error {
  override readonly name = 'CallAborted';
}
