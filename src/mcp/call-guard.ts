declare const GUARDED: unique symbol;

/**
 * Signal of a call that runs inside a guard, and which every request of an MCP session requires. Only guards create it, so
 * that a call without timeout, circuit breaker and bulkhead does not compile.
 */
export type GuardedSignal = AbortSignal & { readonly [GUARDED]: true };

export interface CallGuardOptions {
  /** Aborts the call. */
  readonly signal: AbortSignal;
  /** Whether a repeated call has no further effect. Only then is a failed call retried. */
  readonly idempotent: boolean;
  /** Timeout of all attempts together, in milliseconds. @default that of the guard */
  readonly timeoutMs?: number;
  /** Whether the call opens a session. Its failure counts, but its success does not prove that the server works. */
  readonly isHandshake?: boolean;
}

/** Guard of all calls to one endpoint, those of the handshake included. */
export interface CallGuard {
  /** Runs a call, or rejects it without running it. The signal of the operation aborts at the timeout. */
  call<T>(operation: (signal: GuardedSignal) => Promise<T>, options: CallGuardOptions): Promise<T>;
}

/** Returns the signal of a controller that aborts together with a guarded signal, perhaps earlier. */
export function deriveGuardedSignal(parent: GuardedSignal, controller: AbortController): GuardedSignal {
  if (parent.aborted) controller.abort(parent.reason);
  // The derived signal belongs to the same guarded call.
  return controller.signal as GuardedSignal;
}
