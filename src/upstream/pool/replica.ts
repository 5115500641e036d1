import type { probeTool } from '../../adapters/index.js';
import {
  type CallGuardOptions,
  type Endpoint,
  type GuardedSignal,
  type McpSession,
  type SessionCallOptions,
  SessionClosedError,
  type SessionEvent,
  ToolRejectedError,
} from '../../mcp/index.js';
import type { CircuitBreakerStatus, Latency, McpServerType, ServerStatus } from '../../model/index.js';
import { Emitter, errorMessage } from '../../shared/index.js';
import type { CircuitTransition } from '../guard/circuit-breaker.js';
import { createGuard, type Guard, type GuardedCallOptions, type GuardStatus } from '../guard/guard.js';
import { GUARD_DEFAULTS } from '../guard/guard-options.js';
import { ActivityTracker } from './activity-tracker.js';
import { NotConnectedError, wasNotSent } from './errors.js';
import type { BalancedReplica } from './load-balancing.js';
import type { ReplicaOptions } from './pool-options.js';
import { probeDueInMs, Prober } from './prober.js';
import {
  type ConnectionState,
  ReplicaConnection,
  type ReplicaConnectionDeps,
  replicaStatus,
} from './replica-connection.js';

export interface ReplicaDeps extends Omit<
  ReplicaConnectionDeps,
  'onSessionEvent' | 'onConnected' | 'onDisconnected' | 'guard' | 'retryInMs'
> {
  /** Selects the harmless tool that serves as health probe. Null if the server has none. */
  readonly probeTool: (session: McpSession, type: McpServerType) => ReturnType<typeof probeTool>;
}

export type SessionOperation<T> = (session: McpSession, signal: GuardedSignal) => Promise<T>;

/** Change of a replica: of its session, its status or its circuit breaker. */
export interface ReplicaEvent {
  /** Transition of the circuit breaker. Null for other changes. */
  readonly transition: CircuitTransition | null;
}

interface FailedCall {
  readonly session: McpSession;
  /** Error of the call. Null if no request was sent. */
  readonly error: unknown;
  readonly options: GuardedCallOptions;
  readonly operation: SessionOperation<unknown>;
}

/** Time in milliseconds for which a median is cached, because load balancing reads it for every call. */
const MEDIAN_CACHE_MS = 1_000;

/** One endpoint of a server: its connection, the guard that all its calls share, its prober and its status. */
export class Replica implements AsyncDisposable, BalancedReplica {
  readonly id: string;
  readonly #options: ReplicaOptions;
  readonly #deps: ReplicaDeps;
  readonly #abort = new AbortController();
  readonly #events = new Emitter<ReplicaEvent>();
  readonly #sessionEvents = new Emitter<SessionEvent>();
  readonly #connection: ReplicaConnection;
  readonly #prober: Prober;
  readonly #activity: ActivityTracker;
  readonly #loop: Promise<unknown>;
  #guard: Guard;
  #type: McpServerType;
  /** Error of the last call, if the session has survived it. */
  #callError: string | null = null;
  #outstanding = 0;
  #recoveredAtMs: number | null = null;
  #status: ServerStatus = 'CONNECTING';
  /** Last failed call, which the next health probe repeats. */
  #failedCall: { readonly operation: SessionOperation<unknown> } | null = null;
  #median: { readonly ms: number | null; readonly updatedAtMs: number } | null = null;

  get endpoint(): Endpoint {
    return this.#options.endpoint;
  }

  constructor(options: ReplicaOptions, deps: ReplicaDeps) {
    this.id = options.id;
    this.#options = options;
    this.#deps = deps;
    this.#activity = new ActivityTracker(deps.clock);
    this.#type = options.expectedType;
    this.#guard = this.#createGuard();
    const { signal } = this.#abort;
    this.#connection = new ReplicaConnection(options, {
      ...deps,
      guard: { call: (operation, call) => this.#callOfSession(operation, call) },
      retryInMs: () => this.#guard.retryInMs,
      onSessionEvent: (event) => this.#sessionEvents.emit(event),
      onConnected: (type) => this.#handleConnect(type),
      onDisconnected: () => {
        this.#callError = null;
        this.#emitChange();
      },
    });
    this.#prober = new Prober(deps.clock, {
      probeDueInMs: () => this.#probeDueInMs(),
      repeat: () => (this.#failedCall === null ? null : this.#probe(this.#failedCall.operation)),
      ping: () => this.#probe((session, guarded) => session.ping(this.#withTimeout(guarded))),
      list: () => this.#callProbeTool(),
    });
    this.#loop = Promise.all([this.#connection.run(signal), this.#prober.run(signal)]);
  }

  /** Current session. Null while the replica is not connected. */
  get session(): McpSession | null {
    return this.#connection.session;
  }

  get type(): McpServerType {
    return this.#type;
  }

  get connection(): ConnectionState {
    return this.#connection.connection;
  }

  /** Status as of the last event. */
  get status(): ServerStatus {
    return this.#status;
  }

  /** Reason why the replica is not connected, or error of its last call. Null if the last call succeeded. */
  get lastError(): string | null {
    return this.#callError ?? this.#connection.error;
  }

  get failedAttempts(): number {
    return this.#connection.failedAttempts;
  }

  /** Number of established connections. */
  get connects(): number {
    return this.#connection.connects;
  }

  /** Number of failed attempts to connect and of lost connections. */
  get connectionFailures(): number {
    return this.#connection.connectionFailures;
  }

  /** Number of reconnects. */
  get restarts(): number {
    return this.#connection.restarts;
  }

  /** Time of the last answer, in milliseconds since the epoch. Null before the first answer. */
  get answeredAt(): number | null {
    return this.#activity.answeredAt;
  }

  /** Time of the last health probe, in milliseconds since the epoch. Null before the first probe. */
  get probedAt(): number | null {
    return this.#activity.probedAt;
  }

  get breaker(): CircuitBreakerStatus {
    return this.#guard.breaker;
  }

  get latency(): Latency {
    return this.#guard.latency();
  }

  get guardStatus(): GuardStatus {
    return this.#guard.status();
  }

  get outstanding(): number {
    return this.#outstanding;
  }

  get medianMs(): number | null {
    const nowMs = this.#deps.clock.monotonic();
    if (this.#median === null || nowMs - this.#median.updatedAtMs >= MEDIAN_CACHE_MS) {
      this.#median = { ms: this.#guard.latency().p50Ms, updatedAtMs: nowMs };
    }
    return this.#median.ms;
  }

  get recoveredForMs(): number | null {
    return this.#recoveredAtMs === null ? null : this.#deps.clock.monotonic() - this.#recoveredAtMs;
  }

  get isHealthy(): boolean {
    return this.#activity.hasAnswered && this.breaker.consecutiveFailures === 0;
  }

  get isPaused(): boolean {
    return this.#activity.isPaused;
  }

  /**
   * Runs one call on the current session through the guard.
   * @throws NotConnectedError if there is no session
   * @throws Error as `Guard.call` does
   */
  async call<T>(operation: SessionOperation<T>, options: GuardedCallOptions): Promise<T> {
    const { session } = this;
    if (session === null) throw new NotConnectedError(this.lastError ?? 'not connected');
    this.#outstanding += 1;
    let failure: unknown = null;
    try {
      const answer = await this.#guard.call(async (signal) => {
        try {
          return await operation(session, signal);
        } catch (error) {
          failure = error;
          throw error;
        }
      }, options);
      this.#handleAnswer(session);
      return answer;
    } catch (error) {
      // A circuit breaker that opens between two attempts hides the error of the first one.
      this.#handleFailure({ session, error: wasNotSent(error) ? failure : error, options, operation });
      throw error;
    } finally {
      this.#outstanding -= 1;
      if (failure !== null) {
        // The call has just shown the state of the replica, so that the next probe can wait.
        this.#activity.recordFailure();
        this.#prober.reschedule();
      }
    }
  }

  /** Skips the delay before the next connection attempt, also for a replica that was given up. */
  reconnectNow(): void {
    if (this.session === null) this.#guard.retryNow();
    this.#connection.reconnectNow();
  }

  /** Calls back after each change of the session, the status or the circuit breaker. Dispose the result to stop. */
  onEvent(callback: (event: ReplicaEvent) => void): Disposable {
    return this.#events.add(callback);
  }

  /** Calls back for each event of the session. Dispose the result to stop. */
  onSessionEvent(callback: (event: SessionEvent) => void): Disposable {
    return this.#sessionEvents.add(callback);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    await this.#loop;
    this.#guard[Symbol.dispose]();
  }

  #handleConnect(type: McpServerType): void {
    if (type !== this.#type) {
      this.#type = type;
      this.#guard[Symbol.dispose]();
      this.#guard = this.#createGuard();
    }
    this.#activity.recordConnect();
    this.#failedCall = null;
    this.#emitChange();
    this.#prober.reschedule();
  }

  #emitChange(): void {
    this.#refreshStatus();
    this.#events.emit({ transition: null });
  }

  #handleAnswer(session: McpSession): void {
    if (session !== this.session) return;
    this.#connection.markHealthy();
    this.#activity.recordAnswer();
    this.#failedCall = null;
    this.#callError = null;
    this.#refreshStatus();
  }

  #handleFailure({ session, error, options, operation }: FailedCall): void {
    if (error instanceof ToolRejectedError) {
      if (error.retryAfterMs !== null) this.#activity.pauseFor(error.retryAfterMs);
      this.#handleAnswer(session);
    } else if (error === null || options.signal.aborted || session !== this.session) {
      return;
    } else if (error instanceof SessionClosedError) {
      this.#connection.handleSessionEnd(session, error);
    } else {
      this.#callError = errorMessage(error);
      if (options.idempotent) this.#failedCall = { operation };
      this.#refreshStatus();
    }
  }

  /** Updates the status and emits an event if it has changed. */
  #refreshStatus(): void {
    const status = this.#currentStatus();
    if (status === this.#status) return;
    if (status === 'ONLINE' && this.#status === 'OFFLINE') this.#recoveredAtMs = this.#deps.clock.monotonic();
    this.#status = status;
    this.#events.emit({ transition: null });
  }

  #currentStatus(): ServerStatus {
    const { connection, breaker } = this;
    return replicaStatus({ connection, breaker, hasAnswered: this.#activity.hasAnswered, previous: this.#status });
  }

  #probeDueInMs(): number {
    const { heartbeatMs, endpoints } = this.#options;
    const { clock } = this.#deps;
    if (this.session === null || this.#outstanding > 0) return heartbeatMs;
    return probeDueInMs({
      breaker: this.breaker,
      now: clock.now(),
      nowMs: clock.monotonic(),
      idleSinceMs: this.#activity.idleSinceMs,
      probedAtMs: this.#activity.probedAtMs,
      pausedUntilMs: this.#activity.pausedUntilMs,
      heartbeatMs,
      // Polls may never reach one of several replicas, but a failover must know whether it answers.
      isUnproven: endpoints.length > 1 && !this.#activity.hasAnswered,
    });
  }

  async #probe(operation: SessionOperation<unknown>): Promise<void> {
    const { signal } = this.#abort;
    const { timeoutMs } = this.#options;
    await this.#activity.recordProbe(() => this.call(operation, { signal, idempotent: false, timeoutMs }));
  }

  #callProbeTool(): Promise<void> | null {
    const probe = this.session === null ? null : this.#deps.probeTool(this.session, this.#type);
    if (probe === null) return null;
    return this.#probe((session, signal) => session.callTool(probe.tool, probe.args, this.#withTimeout(signal)));
  }

  /** Runs a call that a session makes by itself: of its handshake, or a list of tools that have changed. */
  #callOfSession<T>(operation: (signal: GuardedSignal) => Promise<T>, options: CallGuardOptions): Promise<T> {
    if (options.isHandshake === true) return this.#guard.call(operation, options);
    return this.call((_session, signal) => operation(signal), options);
  }

  #withTimeout(signal: GuardedSignal): SessionCallOptions {
    return { signal, timeoutMs: this.#options.timeoutMs };
  }

  #createGuard(): Guard {
    const { timeoutMs, breaker } = this.#options;
    const options = {
      ...GUARD_DEFAULTS,
      timeoutMs,
      // claude-flow rewrites its call log with each call, so that concurrent calls would conflict.
      maxConcurrent: this.#type === 'CLAUDE_FLOW' ? 1 : GUARD_DEFAULTS.maxConcurrent,
      breakerThreshold: breaker.failures,
      breakerBackoffMs: { initial: breaker.initialMs, max: breaker.maxMs },
    };
    const guard = createGuard(options, { clock: this.#deps.clock });
    guard.onTransition((transition) => {
      // The transition is emitted before the call that caused it fails.
      if (this.session !== null) this.#callError = transition.reason ?? this.#callError;
      this.#events.emit({ transition });
      this.#refreshStatus();
      this.#prober.reschedule();
    });
    return guard;
  }
}
