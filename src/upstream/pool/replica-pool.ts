import { type McpSession, type SessionEvent, ToolRejectedError, TransportError } from '../../mcp/index.js';
import type { McpServerType } from '../../model/index.js';
import { Emitter, WakeSignal } from '../../shared/index.js';
import type { CircuitTransition } from '../guard/circuit-breaker.js';
import { NotConnectedError, PrimaryChangedError, wasNotSent } from './errors.js';
import { rankReplicas } from './load-balancing.js';
import { hasProcessLocalState, type PoolOptions, replicaId } from './pool-options.js';
import { Replica, type ReplicaDeps, type SessionOperation } from './replica.js';

export interface ReplicaPoolDeps extends Omit<ReplicaDeps, 'validateServer' | 'onToolsChanged'> {
  /** Returns the type of a connected server. */
  readonly detectType: (session: McpSession) => McpServerType;
}

/**
 * Replica and session that an adapter's cached responses belong to. A failover discards the cache, because another
 * replica may be another process with other state.
 */
export interface PrimarySession {
  readonly replica: Replica;
  readonly session: McpSession;
  readonly type: McpServerType;
}

export interface PoolEvent {
  readonly replica: Replica;
  readonly transition: CircuitTransition | null;
  /** Replicas before and after a move of the primary session. Null if it has not moved. */
  readonly failover: { readonly from: Replica; readonly to: Replica } | null;
}

export interface PoolCallOptions {
  readonly signal: AbortSignal;
  /** Whether a repeated call has no further effect. Only then is a call repeated that may have reached a server. */
  readonly idempotent: boolean;
  /** Primary session that the caller's cached responses belong to. Null if the caller has none. */
  readonly primary: PrimarySession | null;
  /** Client that the call belongs to. Null or omitted for swarmlens' own calls. */
  readonly clientId?: string | null;
}

/** All replicas of one upstream server, with load balancing and failover. Owns the primary session. */
export class ReplicaPool implements AsyncDisposable {
  readonly replicas: readonly Replica[];
  readonly #options: PoolOptions;
  readonly #deps: ReplicaPoolDeps;
  readonly #events = new Emitter<PoolEvent>();
  readonly #sessionEvents = new Emitter<SessionEvent>();
  readonly #toolChanges = new Emitter<undefined>();
  #primary: PrimarySession | null = null;
  /** Replica of the current or last primary session. */
  #lastPrimaryReplica: Replica | null = null;

  constructor(options: PoolOptions, deps: ReplicaPoolDeps) {
    this.#options = options;
    this.#deps = deps;
    this.replicas = options.endpoints.map((endpoint, index) => {
      const id = replicaId(options.serverId, index);
      const replica = new Replica(
        { ...options, id, endpoint },
        {
          ...deps,
          validateServer: (session) => this.#validateServer(id, session),
          onToolsChanged: () => this.#toolChanges.emit(undefined),
        },
      );
      replica.onEvent(({ transition }) => {
        this.#updatePrimary();
        this.#notify(replica, transition);
      });
      replica.onSessionEvent((event) => {
        if (!this.isSticky || this.#primary?.replica === replica) this.#sessionEvents.emit(event);
      });
      return replica;
    });
  }

  /** Primary session. Null if no replica is connected. */
  get primary(): PrimarySession | null {
    return this.#primary;
  }

  /** Whether all calls go to the replica of the primary session. */
  get isSticky(): boolean {
    return this.#options.sticky ?? hasProcessLocalState(this.#primary?.type ?? this.#options.expectedType);
  }

  /** Whether a replica can be called, now or after it has renewed its session. */
  get isAvailable(): boolean {
    return this.replicas.some((replica) => replica.connection === 'RENEWING' || isUsable(replica));
  }

  /** Whether at least one connection attempt of each replica has ended. */
  get hasTriedAll(): boolean {
    return this.replicas.every(({ connection }) => connection !== 'CONNECTING');
  }

  /** Whether the session observed by a tap has ended normally. */
  get hasEnded(): boolean {
    return this.replicas.every(({ connection }) => connection === 'ENDED');
  }

  /** Errors of all failing replicas. Null if none fails, or none has been tried. */
  get failureReason(): string | null {
    const failing = this.replicas.filter(({ status, breaker }) => {
      return status === 'OFFLINE' || status === 'DEGRADED' || breaker.state !== 'CLOSED';
    });
    if (this.replicas.length === 1) return failing[0]?.lastError ?? null;
    return failing.map(({ id, lastError }) => `${id}: ${lastError ?? 'does not answer'}`).join('; ') || null;
  }

  /** Returns whether calls may go to a replica. */
  isInUse(replica: Replica): boolean {
    if (this.isSticky || this.replicas.length === 1) return this.#primary?.replica === replica;
    return this.#primary !== null && isUsable(replica);
  }

  /**
   * Runs one call on the best replica, and on the next ones if it fails, within `timeoutMs` in total. Each of several
   * replicas gets an equal share of the remaining time; a single one is retried by its guard. A sticky pool does not
   * change the replica within a call. It moves the primary session instead, and callers that hold the old one get a
   * `PrimaryChangedError`.
   * @throws NotConnectedError, PrimaryChangedError or an error of the guard's bulkhead or circuit breaker if no request was
   *   sent
   * @throws the reason of `signal`, or the error of the last replica
   */
  async call<T>(
    operation: SessionOperation<T>,
    { signal, idempotent, primary, clientId = null }: PoolCallOptions,
  ): Promise<T> {
    const { clock } = this.#deps;
    const tried = new Set<Replica>();
    let remainingMs = this.#options.timeoutMs;
    let failure: Error | null = null;
    for (;;) {
      signal.throwIfAborted();
      if (primary !== null && this.isSticky && this.#isReplaced(primary)) {
        throw failure ?? new PrimaryChangedError(primary.replica.id);
      }
      const candidates = this.#candidates(tried);
      const [replica] = candidates;
      if (replica === undefined) {
        if (!this.#isRenewing || remainingMs < 1) {
          throw failure ?? new NotConnectedError(this.failureReason ?? 'not connected');
        }
        remainingMs -= await this.#waitForRenewal(remainingMs, signal);
        continue;
      }
      const isOnly = candidates.length === 1 && tried.size === 0 && this.#usableExcept(replica).length === 0;
      tried.add(replica);
      let startedMs = Infinity;
      try {
        return await replica.call(
          (session, guarded) => {
            // Time in the queue of the bulkhead does not count.
            startedMs = Math.min(startedMs, clock.monotonic());
            return operation(session, guarded);
          },
          {
            signal,
            clientId,
            idempotent: idempotent && isOnly,
            timeoutMs: Math.max(1, idempotent ? remainingMs / candidates.length : remainingMs),
          },
        );
      } catch (error) {
        signal.throwIfAborted();
        remainingMs -= Math.max(0, clock.monotonic() - startedMs);
        if (error instanceof TransportError) this.#failOverFrom(replica);
        // An orderly end of the session is no failure of the replica, so that its next session may be tried.
        if (replica.connection === 'RENEWING') tried.delete(replica);
        if (!(idempotent ? canTryAnother(error) : wasNotSent(error)) || remainingMs < 1) throw error;
        if (failure === null || !wasNotSent(error)) failure = toError(error);
      }
    }
  }

  /** Skips the delays before the next connection attempts of all replicas. */
  reconnectNow(): void {
    for (const replica of this.replicas) replica.reconnectNow();
  }

  /** Calls back after each change of a replica or of the primary session. Dispose the result to stop. */
  onEvent(callback: (event: PoolEvent) => void): Disposable {
    return this.#events.add(callback);
  }

  /** Calls back for each session event of the replicas in use. Dispose the result to stop. */
  onSessionEvent(callback: (event: SessionEvent) => void): Disposable {
    return this.#sessionEvents.add(callback);
  }

  onToolsChanged(callback: () => void): Disposable {
    return this.#toolChanges.add(callback);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.replicas.map((replica) => replica[Symbol.asyncDispose]()));
  }

  /** Returns the replicas that may be called next, best first. */
  #candidates(tried: ReadonlySet<Replica>): Replica[] {
    const connected = this.#eligible.filter((replica) => replica.session !== null && !tried.has(replica));
    const usable = connected.filter(isUsable);
    if (usable.length > 0) return rankReplicas(usable, this.#options.slowStartMs);
    // An open circuit breaker accepts the call as its probe, or rejects it with the time of the next probe.
    return tried.size === 0 ? connected.sort((a, b) => retryAtMs(a) - retryAtMs(b)).slice(0, 1) : [];
  }

  get #eligible(): readonly Replica[] {
    if (!this.isSticky) return this.replicas;
    return this.#primary === null ? [] : [this.#primary.replica];
  }

  get #isRenewing(): boolean {
    return this.#eligible.some(({ connection }) => connection === 'RENEWING');
  }

  /** Waits at most `maxMs` for a renewed session. Resolves with the elapsed time in milliseconds. */
  async #waitForRenewal(maxMs: number, signal: AbortSignal): Promise<number> {
    const { clock } = this.#deps;
    const startMs = clock.monotonic();
    const wakeSignal = new WakeSignal(clock);
    using _subscription = this.#events.add(() => wakeSignal.wake());
    let remainingMs = maxMs;
    while (this.#isRenewing && remainingMs > 0 && !signal.aborted) {
      await wakeSignal.wait(remainingMs, signal);
      remainingMs = maxMs - (clock.monotonic() - startMs);
    }
    return clock.monotonic() - startMs;
  }

  /** @throws Error if the server has another type than the other connected replicas */
  #validateServer(id: string, session: McpSession): McpServerType {
    const type = this.#deps.detectType(session);
    const other = this.replicas.find((replica) => replica.id !== id && isConnected(replica) && replica.type !== type);
    if (other !== undefined) {
      throw new Error(`server type ${type} differs from ${other.type} of replica ${other.id}`);
    }
    return type;
  }

  /** Moves the primary session after a failed connection. A late answer is left to the circuit breaker. */
  #failOverFrom(replica: Replica): void {
    if (!this.isSticky || this.#primary?.replica !== replica) return;
    const [next] = this.#usableExcept(replica);
    if (next === undefined) return;
    this.#setPrimary(next);
    this.#notify(replica, null);
  }

  /** Moves the primary session only if its replica cannot be called, because a move may replace all agents. */
  #updatePrimary(): void {
    const primary = this.#primary;
    if (primary !== null) {
      const { replica, session } = primary;
      if (replica.connection === 'RENEWING') return;
      if (isUsable(replica)) {
        if (replica.session !== session) this.#setPrimary(replica);
        return;
      }
    }
    const [best] = this.#usableExcept(null);
    // A connected replica with an open circuit breaker is better than none, because its probe may succeed.
    const isStillConnected = primary !== null && primary.replica.session === primary.session;
    const fallback = isStillConnected ? primary.replica : this.replicas.find(({ session }) => session !== null);
    const next = best ?? fallback;
    if (next === undefined) this.#primary = null;
    else if (next !== primary?.replica || !isStillConnected) this.#setPrimary(next);
  }

  #usableExcept(excluded: Replica | null): Replica[] {
    const usable = this.replicas.filter((replica) => replica !== excluded && isUsable(replica));
    return rankReplicas(usable, this.#options.slowStartMs);
  }

  #setPrimary(replica: Replica): void {
    const { session, type } = replica;
    this.#primary = session === null ? null : { replica, session, type };
  }

  #notify(replica: Replica, transition: CircuitTransition | null): void {
    const from = this.#lastPrimaryReplica;
    const to = this.#primary?.replica ?? null;
    if (to !== null) this.#lastPrimaryReplica = to;
    const failover = from === null || to === null || from === to ? null : { from, to };
    this.#events.emit({ replica, transition, failover });
  }

  #isReplaced({ replica }: PrimarySession): boolean {
    return this.#primary !== null && this.#primary.replica !== replica;
  }
}

function isConnected({ connection }: Replica): boolean {
  return connection === 'CONNECTED' || connection === 'RENEWING';
}

function isUsable({ session, breaker }: Replica): boolean {
  return session !== null && breaker.state === 'CLOSED';
}

/** Returns the time of the next probe in milliseconds since the epoch; 0 if a probe is already running. */
function retryAtMs({ breaker }: Replica): number {
  return breaker.retryAt === null ? 0 : Date.parse(breaker.retryAt);
}

function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

/** Returns whether another replica may answer. All replicas reject the same calls, except when one requests a pause. */
function canTryAnother(error: unknown): boolean {
  return !(error instanceof ToolRejectedError) || error.retryAfterMs !== null;
}
