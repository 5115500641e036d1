import type {
  CircuitState,
  HealthChange,
  Notice,
  NoticeSeverity,
  ServerStatus,
  SwarmlensEvent,
} from '../../model/index.js';
import { type Clock, isoTimestamp } from '../../shared/index.js';

/** Remembers the status and circuit of a server, or of one of its replicas, and tells of each change once, in order. */
export class HealthTracker {
  readonly #serverId: string;
  readonly #replicaId: string | null;
  readonly #clock: Clock;
  readonly #noticedAt = new Map<string, number>();
  #status: ServerStatus;
  #circuit: CircuitState;

  /**
   * @param replicaId `null`: of the server as a whole
   * @param last what was told last, by another node; left out: nothing was
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

  /** The events of a new status: none when it is not new; going offline and coming back are noticed as well. */
  updateStatus(status: ServerStatus, reason: string | null): readonly SwarmlensEvent[] {
    if (status === this.#status) return [];
    const change = this.#change({ status, reason });
    if (this.#replicaId !== null) return [change];
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
    return circuitState === this.#circuit ? [] : [this.#change({ circuitState, reason })];
  }

  notice(code: string, severity: NoticeSeverity, message: string): Notice {
    return { type: 'notice', code, severity, message, serverId: this.#serverId, timestamp: isoTimestamp(this.#clock) };
  }

  /** What `circuit` is from now on without anyone being told: what is told of a server tells its breaker as well. */
  setCircuitSilently(circuitState: CircuitState): void {
    this.#circuit = circuitState;
  }

  /** A notice that is not given again under the same code, about the same thing, within a minute. */
  throttledNotice(code: string, severity: NoticeSeverity, message: string, about = ''): readonly Notice[] {
    const now = this.#clock.monotonic();
    const key = `${code} ${about}`;
    if (now - (this.#noticedAt.get(key) ?? -Infinity) < RARE_MS) return [];
    this.#noticedAt.set(key, now);
    return [this.notice(code, severity, message)];
  }

  #change(next: { status?: ServerStatus; circuitState?: CircuitState; reason: string | null }): HealthChange {
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

const RARE_MS = 60_000;
