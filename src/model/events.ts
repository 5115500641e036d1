import type { AgentMessage } from './task.js';
import type { CircuitState, NoticeSeverity, ServerStatus } from './enums.js';

/** Message for people about an event. Not part of the state. */
export interface Notice {
  readonly type: 'notice';
  /** Stable code in upper case: SERVER_UNAVAILABLE, AGENT_REJECTED, EVENTS_MISSED, … */
  readonly code: string;
  readonly severity: NoticeSeverity;
  readonly message: string;
  readonly serverId: string | null;
  readonly timestamp: string;
}

/** Transition of a server, of a replica or of a circuit breaker. Not part of the state. */
export interface HealthChange {
  readonly type: 'health';
  readonly serverId: string;
  /** Id of the replica. Null for the server as a whole, or for its only endpoint. */
  readonly replicaId: string | null;
  readonly previousStatus: ServerStatus;
  readonly status: ServerStatus;
  readonly previousCircuitState: CircuitState;
  readonly circuitState: CircuitState;
  readonly reason: string | null;
  readonly timestamp: string;
}

/** Event about swarmlens and its servers. */
export type OperationalEvent = Notice | HealthChange;

export type SwarmlensEvent = OperationalEvent | AgentMessage;
