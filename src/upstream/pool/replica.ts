import type { CircuitBreakerStatus, Latency, McpServerType, ServerStatus } from '../../model/index.js';
import { createGuard, type Guard, type GuardedCallOptions, type GuardStatus } from '../guard/guard.js';
import { GUARD_DEFAULTS } from '../guard/guard-options.js';
import type { CircuitTransition } from '../guard/circuit-breaker.js';
import { type McpSession, SessionClosedError, type SessionEvent, ToolRejectedError } from '../../mcp/index.js';
import { Emitter, errorMessage } from '../../shared/index.js';
import { ActivityTracker } from './activity-tracker.js';
import type { BalancedReplica } from './load-balancing.js';
import { NotConnectedError, wasNotSent } from './errors.js';
import {
  type ConnectionState,
  ReplicaConnection,
  type ReplicaConnectionDeps,
  replicaStatus,
} from './replica-connection.js';
import { probeDueInMs, Prober } from './prober.js';
import type { ReplicaOptions } from './pool-options.js';

export interface ReplicaDeps extends Omit<ReplicaConnectionDeps, 'onSessionEvent' | 'onConnected' | 'onDisconnected'> {
  /** A tool of it that costs little, with its arguments; `null`: there is none. */
  readonly cheapTool: (session: McpSession, type: McpServerType) => ToolCall | null;
}

export interface ToolCall {
  readonly tool: string;
  readonly args: Readonly<Record<string, unknown>>;
}

export type SessionOperation<T> = (session: McpSession, signal: AbortSignal) => Promise<T>;

/** What a replica tells: a transition of its breaker, or that something else of it is not as it was. */
export interface ReplicaEvent {
  readonly transition: CircuitTransition | null;
}

interface FailedCall {
  readonly session: McpSession;
  /** `null`: the server was not asked. */
  readonly error: unknown;
  readonly options: GuardedCallOptions;
  readonly operation: SessionOperation<unknown>;
}

/** How long a median is taken for true: working it out costs more than a choice is worth. */
const MEDIAN_FOR_MS = 1_000;

/** One endpoint that is kept connected, with the guard that all calls to it share. */
export class Replica implements AsyncDisposable, BalancedReplica {
  readonly id: string;
  readonly #settings: ReplicaOptions;
  readonly #deps: ReplicaDeps;
  readonly #stop = new AbortController();
  readonly #events = new Emitter<ReplicaEvent>();
  readonly #pushes = new Emitter<SessionEvent>();
  readonly #link: ReplicaConnection;
  readonly #prober: Prober;
  readonly #activity: ActivityTracker;
  readonly #running: Promise<unknown>;
  #guard: Guard;
  #type: McpServerType;
  /** Of the last call, when the session has outlived it. */
  #callError: string | null = null;
  #outstanding = 0;
  #recoveredAtMs: number | null = null;
  #status: ServerStatus = 'CONNECTING';
  #failed: { readonly operation: SessionOperation<unknown> } | null = null;
  #median: { readonly ms: number | null; readonly atMs: number } | null = null;

  constructor(settings: ReplicaOptions, deps: ReplicaDeps) {
    this.id = settings.id;
    this.#settings = settings;
    this.#deps = deps;
    this.#activity = new ActivityTracker(deps.clock);
    this.#type = settings.expectedType;
    this.#guard = this.#newGuard();
    const { signal } = this.#stop;
    this.#link = new ReplicaConnection(settings, {
      ...deps,
      onSessionEvent: (push) => this.#pushes.emit(push),
      onConnected: (type) => this.#opened(type),
      onDisconnected: () => {
        this.#callError = null;
        this.#moved();
      },
    });
    this.#prober = new Prober(deps.clock, {
      probeDueInMs: () => this.#probeDueInMs(),
      repeat: () => (this.#failed === null ? null : this.#probe(this.#failed.operation)),
      ping: () => this.#probe((session, guarded) => session.ping(this.#inTime(guarded))),
      list: () => this.#list(),
    });
    this.#running = Promise.all([this.#link.run(signal), this.#prober.run(signal)]);
  }

  /** `null` while it is not connected. */
  get session(): McpSession | null {
    return this.#link.session;
  }

  get type(): McpServerType {
    return this.#type;
  }

  get connection(): ConnectionState {
    return this.#link.connection;
  }

  /** As it was told last. */
  get status(): ServerStatus {
    return this.#status;
  }

  /** Why it is not connected, or did not answer last; `null`: it did. */
  get lastError(): string | null {
    return this.#callError ?? this.#link.error;
  }

  get failedAttempts(): number {
    return this.#link.failedAttempts;
  }

  /** Times that it was connected again. */
  get restarts(): number {
    return this.#link.restarts;
  }

  /** When it last answered anything, milliseconds since the epoch; `null`: never. */
  get answeredAt(): number | null {
    return this.#activity.answeredAt;
  }

  /** When it was last probed, milliseconds since the epoch; `null`: there was no need. */
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
    if (this.#median === null || nowMs - this.#median.atMs >= MEDIAN_FOR_MS) {
      this.#median = { ms: this.#guard.latency().p50Ms, atMs: nowMs };
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
   * Runs one call on the present session, through the guard.
   * @throws NotConnectedError: it was not run
   * @throws what `Guard.call` throws
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
      this.#answered(session);
      return answer;
    } catch (error) {
      // A breaker that opens between two tries says only that it is open.
      this.#unanswered({ session, error: wasNotSent(error) ? failure : error, options, operation });
      throw error;
    } finally {
      this.#outstanding -= 1;
      if (failure !== null) {
        // It has been asked: a probe now would only stand beside the next poll.
        this.#activity.recordFailure();
        this.#prober.reschedule();
      }
    }
  }

  /** Ends the pause before the next attempt to connect; one that was given up is tried again. */
  reconnectNow(): void {
    this.#link.reconnectNow();
  }

  /** Calls back when something of it has changed: its session, its status, its breaker. Dispose to stop. */
  onEvent(callback: (event: ReplicaEvent) => void): Disposable {
    return this.#events.add(callback);
  }

  /** Calls back for each thing that it tells unasked; dispose to stop. */
  onSessionEvent(callback: (push: SessionEvent) => void): Disposable {
    return this.#pushes.add(callback);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running;
    this.#guard[Symbol.dispose]();
  }

  #opened(type: McpServerType): void {
    if (type !== this.#type) {
      this.#type = type;
      this.#guard[Symbol.dispose]();
      this.#guard = this.#newGuard();
    }
    this.#activity.recordConnect();
    this.#failed = null;
    this.#moved();
    this.#prober.reschedule();
  }

  #moved(): void {
    this.#look();
    this.#events.emit({ transition: null });
  }

  #answered(session: McpSession): void {
    if (session !== this.session) return;
    this.#link.markHealthy();
    this.#activity.recordAnswer();
    this.#failed = null;
    this.#callError = null;
    this.#look();
  }

  #unanswered({ session, error, options, operation }: FailedCall): void {
    if (error instanceof ToolRejectedError) {
      if (error.retryAfterMs !== null) this.#activity.pauseFor(error.retryAfterMs);
      this.#answered(session);
    } else if (error === null || options.signal.aborted || session !== this.session) {
      return;
    } else if (error instanceof SessionClosedError) {
      this.#link.handleSessionEnd(session, error);
    } else {
      this.#callError = errorMessage(error);
      if (options.idempotent) this.#failed = { operation };
      this.#look();
    }
  }

  /** Tells when its status is another one now. */
  #look(): void {
    const status = this.#statusNow();
    if (status === this.#status) return;
    if (status === 'ONLINE' && this.#status === 'OFFLINE') this.#recoveredAtMs = this.#deps.clock.monotonic();
    this.#status = status;
    this.#events.emit({ transition: null });
  }

  #statusNow(): ServerStatus {
    const { connection, breaker } = this;
    return replicaStatus({ connection, breaker, hasAnswered: this.#activity.hasAnswered, before: this.#status });
  }

  #probeDueInMs(): number {
    const { heartbeatMs, endpoints } = this.#settings;
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
      // Nobody may ever call one of several, and yet it has to be known whether one could.
      isUnproven: endpoints.length > 1 && !this.#activity.hasAnswered,
    });
  }

  async #probe(operation: SessionOperation<unknown>): Promise<void> {
    const { signal } = this.#stop;
    const { timeoutMs } = this.#settings;
    await this.#activity.recordProbe(() => this.call(operation, { signal, idempotent: false, timeoutMs }));
  }

  #list(): Promise<void> | null {
    const cheap = this.session === null ? null : this.#deps.cheapTool(this.session, this.#type);
    if (cheap === null) return null;
    return this.#probe((session, signal) => session.callTool(cheap.tool, cheap.args, this.#inTime(signal)));
  }

  #inTime(signal: AbortSignal): { signal: AbortSignal; timeoutMs: number } {
    return { signal, timeoutMs: this.#settings.timeoutMs };
  }

  /** claude-flow takes one call at a time, because each of them rewrites its ledger. */
  #newGuard(): Guard {
    const { timeoutMs, breaker } = this.#settings;
    const options = {
      ...GUARD_DEFAULTS,
      timeoutMs,
      maxConcurrent: this.#type === 'CLAUDE_FLOW' ? 1 : GUARD_DEFAULTS.maxConcurrent,
      breakerThreshold: breaker.failures,
      breakerBackoffMs: { initial: breaker.initialMs, max: breaker.maxMs },
    };
    const guard = createGuard(options, { clock: this.#deps.clock });
    guard.onTransition((transition) => {
      // The call that it fails has yet to hear of it.
      this.#callError = transition.reason ?? this.#callError;
      this.#events.emit({ transition });
      this.#look();
      this.#prober.reschedule();
    });
    return guard;
  }
}
