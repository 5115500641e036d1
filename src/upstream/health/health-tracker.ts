import type {
  CircuitState,
  HealthChange,
  Notice,
  NoticeSeverity,
  ServerStatus,
  SwarmlensEvent,
} from '../../model/index.js';
import { type Clock, isoTimestamp } from '../../shared/index.js';

/** Minimum time in milliseconds between two throttled notices with the same code and subject. */
const NOTICE_THROTTLE_MS = 60_000;

/** Tracks status and circuit state of a server or of one replica, and creates one `HealthChange` per transition. */
export class HealthTracker {
  readonly #serverId: string;
  readonly #replicaId: string | null;
  readonly #clock: Clock;
  readonly #noticedAtMs = new Map<string, number>();
  #status: ServerStatus;
  #circuit: CircuitState;

  /**
   * @param replicaId Null tracks the server as a whole.
   * @param last Last state that another node published. @default CONNECTING and CLOSED
   */
  constructor(
    serverId: string,
    clock: Clock,
    replicaId: string | null = null,
    last: Pick<HealthChange, 'status' | 'circuitState'> = { status: 'CONNECTING', circuitState: 'CLOSED' },
  ) {
    this.#serverId = serverId;
    this.#replicaId = replicaId;
    this.#clock = clock;
    this.#status = last.status;
    this.#circuit = last.circuitState;
  }

  get status(): ServerStatus {
    return this.#status;
  }

  get circuit(): CircuitState {
    return this.#circuit;
  }

  /**
   * Sets the status and returns the events of the transition. Returns no events if the status has not changed.
   * @param hasEnded whether the session of the server has ended normally
   */
  updateStatus(status: ServerStatus, reason: string | null, hasEnded = false): readonly SwarmlensEvent[] {
    if (status === this.#status) return [];
    const change = this.#createChange({ status, reason });
    if (this.#replicaId !== null) return [change];
    if (status === 'OFFLINE' && hasEnded) {
      return [change, this.notice('SESSION_ENDED', 'INFO', `The session of ${this.#serverId} has ended`)];
    }
    if (status === 'OFFLINE') {
      return [change, this.notice('SERVER_OFFLINE', 'ERROR', `${this.#serverId} is offline: ${reason ?? 'no answer'}`)];
    }
    if (status === 'DEGRADED') {
      return [
        change,
        this.notice('SERVER_DEGRADED', 'WARNING', `${this.#serverId} is degraded: ${reason ?? 'no answer'}`),
      ];
    }
    if (status === 'ONLINE' && change.previousStatus !== 'CONNECTING') {
      return [change, this.notice('SERVER_ONLINE', 'INFO', `${this.#serverId} is online again`)];
    }
    return [change];
  }

  updateCircuit(circuitState: CircuitState, reason: string | null): readonly SwarmlensEvent[] {
    return circuitState === this.#circuit ? [] : [this.#createChange({ circuitState, reason })];
  }

  notice(code: string, severity: NoticeSeverity, message: string): Notice {
    return { type: 'notice', code, severity, message, serverId: this.#serverId, timestamp: isoTimestamp(this.#clock) };
  }

  /** Sets the circuit state without an event. Changes of the status carry it. */
  setCircuitSilently(circuitState: CircuitState): void {
    this.#circuit = circuitState;
  }

  /** Returns a notice, or nothing if there was one with the same code and subject within the last minute. */
  throttledNotice(code: string, severity: NoticeSeverity, message: string, subject = ''): readonly Notice[] {
    const nowMs = this.#clock.monotonic();
    const key = `${code} ${subject}`;
    if (nowMs - (this.#noticedAtMs.get(key) ?? -Infinity) < NOTICE_THROTTLE_MS) return [];
    this.#noticedAtMs.set(key, nowMs);
    return [this.notice(code, severity, message)];
  }

  #createChange(next: { status?: ServerStatus; circuitState?: CircuitState; reason: string | null }): HealthChange {
    const change: HealthChange = {
      type: 'health',
      serverId: this.#serverId,
      replicaId: this.#replicaId,
      previousStatus: this.#status,
      status: next.status ?? this.#status,
      previousCircuitState: this.#circuit,
      circuitState: next.circuitState ?? this.#circuit,
      reason: next.reason,
      timestamp: isoTimestamp(this.#clock),
    };
    this.#status = change.status;
    this.#circuit = change.circuitState;
    return change;
  }
}
