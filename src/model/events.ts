import type { CircuitState, NoticeSeverity, ServerStatus } from './enums.js';

/** Something a person should see. An event, not a state. */
export interface Notice {
  readonly type: 'notice';
  /** Upper case, stable: SERVER_UNAVAILABLE, AGENT_REJECTED, EVENTS_MISSED, … */
  readonly code: string;
  readonly severity: NoticeSeverity;
  readonly message: string;
  readonly serverId: string | null;
  readonly timestamp: string;
}

/** A server, one of its replicas, or the circuit breaker of one went from one state to another. An event, not a state. */
export interface HealthChange {
  readonly type: 'health';
  readonly serverId: string;
  /** Whose status and breaker it is; `null`: the server as a whole, or its only endpoint. */
  readonly replicaId: string | null;
  readonly previousStatus: ServerStatus;
  readonly status: ServerStatus;
  readonly previousCircuitState: CircuitState;
  readonly circuitState: CircuitState;
  readonly reason: string | null;
  readonly timestamp: string;
}

export type SwarmlensEvent = Notice | HealthChange;
