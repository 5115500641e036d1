import type { McpServerType } from '../../model/index.js';
import type { CircuitTransition } from '../guard/circuit-breaker.js';
import { type McpSession, type SessionEvent, ToolRejectedError, TransportError } from '../../mcp/index.js';
import { Emitter, WakeSignal } from '../../shared/index.js';
import { rankReplicas } from './load-balancing.js';
import { wasNotSent, NotConnectedError, PrimaryChangedError } from './errors.js';
import { type SessionOperation, Replica, type ReplicaDeps } from './replica.js';
import { hasProcessLocalState, type PoolOptions, replicaId } from './pool-options.js';

export interface ReplicaPoolDeps extends Omit<ReplicaDeps, 'validateServer' | 'onToolsChanged'> {
  /** Tells what kind of server it is that has been connected. */
  readonly detectType: (session: McpSession) => McpServerType;
}

/**
 * The replica and session by which the server is known. What is remembered of the server between two polls belongs to a
 * seat: another one may be another process, which knows nothing of it.
 */
export interface PrimarySession {
  readonly replica: Replica;
  readonly session: McpSession;
  readonly type: McpServerType;
}

export interface PoolEvent {
  readonly replica: Replica;
  readonly transition: CircuitTransition | null;
  /** When the seat has moved from one replica to another just now. */
  readonly failover: { readonly from: Replica; readonly to: Replica } | null;
}

export interface PoolCallOptions {
  readonly signal: AbortSignal;
  /** Whether asking twice does no more than asking once: only then is another replica asked after one may have been. */
  readonly idempotent: boolean;
  /** What the caller knows is of this seat; `null`: nothing. */
  readonly primary: PrimarySession | null;
}

/** The replicas of one logical server: who is asked, and who instead when that fails. */
export class ReplicaPool implements AsyncDisposable {
  readonly replicas: readonly Replica[];
  readonly #settings: PoolOptions;
  readonly #deps: ReplicaPoolDeps;
  readonly #events = new Emitter<PoolEvent>();
  readonly #pushes = new Emitter<SessionEvent>();
  readonly #toolChanges = new Emitter<undefined>();
  #seat: PrimarySession | null = null;
  /** Of the present or last seat. */
  #lastInUse: Replica | null = null;

  constructor(settings: PoolOptions, deps: ReplicaPoolDeps) {
    this.#settings = settings;
    this.#deps = deps;
    this.replicas = settings.endpoints.map((endpoint, index) => {
      const id = replicaId(settings.serverId, index);
      const replica = new Replica(
        { ...settings, id, endpoint },
        {
          ...deps,
          validateServer: (session) => this.#admit(id, session),
          onToolsChanged: () => this.#toolChanges.emit(undefined),
        },
      );
      replica.onEvent(({ transition }) => this.#changed(replica, transition));
      replica.onSessionEvent((push) => {
        if (!this.isSticky || this.#seat?.replica === replica) this.#pushes.emit(push);
      });
      return replica;
    });
  }

  /** `null`: no replica is connected. */
  get primary(): PrimarySession | null {
    return this.#seat;
  }

  /** Whether all calls go to the replica of the seat. */
  get isSticky(): boolean {
    return this.#settings.sticky ?? hasProcessLocalState(this.#seat?.type ?? this.#settings.expectedType);
  }

  /** Whether some replica can be asked now, or in a moment. */
  get isAvailable(): boolean {
    return this.replicas.some((replica) => replica.connection === 'RENEWING' || isUsable(replica));
  }

  /** Whether each replica has been tried. */
  get hasTriedAll(): boolean {
    return this.replicas.every(({ connection }) => connection !== 'CONNECTING');
  }

  /** What is wrong with the replicas, for a person; `null`: nothing is, or nothing is known yet. */
  get failureReason(): string | null {
    const troubled = this.replicas.filter(({ status, breaker }) => {
      return status === 'OFFLINE' || status === 'DEGRADED' || breaker.state !== 'CLOSED';
    });
    if (this.replicas.length === 1) return troubled[0]?.lastError ?? null;
    return troubled.map(({ id, lastError }) => `${id}: ${lastError ?? 'does not answer'}`).join('; ') || null;
  }

  isInUse(replica: Replica): boolean {
    if (this.isSticky || this.replicas.length === 1) return this.#seat?.replica === replica;
    return this.#seat !== null && isUsable(replica);
  }

  /**
   * Runs one call where it is answered soonest, within `timeoutMs` in all: with several replicas left to ask, each gets
   * its share of what is left of the time; a single one is asked again as its guard has it. Sticky replicas are not
   * changed within a call: the seat is, and `SeatLostError` tells who still holds the old one.
   * @throws NotConnectedError, SeatLostError, CircuitOpenError, BulkheadFullError: nobody was asked
   * @throws the signal's reason, or what the last replica threw
   */
  async call<T>(operation: SessionOperation<T>, { signal, idempotent, primary }: PoolCallOptions): Promise<T> {
    const { clock } = this.#deps;
    const tried = new Set<Replica>();
    let leftMs = this.#settings.timeoutMs;
    let failure: Error | null = null;
    for (;;) {
      signal.throwIfAborted();
      if (primary !== null && this.isSticky && this.#isLost(primary))
        throw failure ?? new PrimaryChangedError(primary.replica.id);
      const candidates = this.#candidates(tried);
      const [replica] = candidates;
      if (replica === undefined) {
        if (!this.#isRenewing || leftMs < 1)
          throw failure ?? new NotConnectedError(this.failureReason ?? 'not connected');
        leftMs -= await this.#renewal(leftMs, signal);
        continue;
      }
      const isOnly = candidates.length === 1 && tried.size === 0 && this.#usable(replica).length === 0;
      tried.add(replica);
      let startedMs = Infinity;
      try {
        return await replica.call(
          (session, guarded) => {
            // Waiting for others to be served there is not the server's time.
            startedMs = Math.min(startedMs, clock.monotonic());
            return operation(session, guarded);
          },
          {
            signal,
            idempotent: idempotent && isOnly,
            timeoutMs: Math.max(1, idempotent ? leftMs / candidates.length : leftMs),
          },
        );
      } catch (error) {
        signal.throwIfAborted();
        leftMs -= Math.max(0, clock.monotonic() - startedMs);
        if (error instanceof TransportError) this.#moveFrom(replica);
        // An orderly end is no failure of the replica: its next session is asked.
        if (replica.connection === 'RENEWING') tried.delete(replica);
        if (!(idempotent ? isWorthAnother(error) : wasNotSent(error)) || leftMs < 1) throw error;
        if (failure === null || !wasNotSent(error)) failure = asError(error);
      }
    }
  }

  /** Tries those again that are not connected, without waiting for their turn. */
  reconnectNow(): void {
    for (const replica of this.replicas) replica.reconnectNow();
  }

  /** Calls back when something of a replica has changed, or the seat has; dispose to stop. */
  onEvent(callback: (event: PoolEvent) => void): Disposable {
    return this.#events.add(callback);
  }

  /** Calls back for each thing that replicas in use tell unasked; dispose to stop. */
  onSessionEvent(callback: (push: SessionEvent) => void): Disposable {
    return this.#pushes.add(callback);
  }

  onToolsChanged(callback: () => void): Disposable {
    return this.#toolChanges.add(callback);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.replicas.map((replica) => replica[Symbol.asyncDispose]()));
  }

  /** Those that may be asked next, the best first. */
  #candidates(tried: ReadonlySet<Replica>): Replica[] {
    const connected = this.#askable.filter((replica) => replica.session !== null && !tried.has(replica));
    const usable = connected.filter(isUsable);
    if (usable.length > 0) return rankReplicas(usable, this.#settings.slowStartMs);
    // The breaker of one may let this call be its probe, and otherwise tells when that is.
    return tried.size === 0 ? connected.sort((a, b) => retryAtOf(a) - retryAtOf(b)).slice(0, 1) : [];
  }

  get #askable(): readonly Replica[] {
    if (!this.isSticky) return this.replicas;
    return this.#seat === null ? [] : [this.#seat.replica];
  }

  get #isRenewing(): boolean {
    return this.#askable.some(({ connection }) => connection === 'RENEWING');
  }

  /** Waits for a session that follows another one. @returns how long that took, milliseconds */
  async #renewal(atMostMs: number, signal: AbortSignal): Promise<number> {
    const { clock } = this.#deps;
    const startMs = clock.monotonic();
    const pulse = new WakeSignal(clock);
    using _watch = this.#events.add(() => pulse.wake());
    let leftMs = atMostMs;
    while (this.#isRenewing && leftMs > 0 && !signal.aborted) {
      await pulse.wait(leftMs, signal);
      leftMs = atMostMs - (clock.monotonic() - startMs);
    }
    return clock.monotonic() - startMs;
  }

  /** @throws Error when it is not of the kind that the replicas before it are of */
  #admit(askerId: string, session: McpSession): McpServerType {
    const type = this.#deps.detectType(session);
    const other = this.replicas.find((replica) => replica.id !== askerId && isIn(replica) && replica.type !== type);
    if (other !== undefined) throw new Error(`it is ${type} while ${other.id} is ${other.type}: it is not used`);
    return type;
  }

  #changed(replica: Replica, transition: CircuitTransition | null): void {
    this.#settle();
    this.#tell(replica, transition);
  }

  /** A failed connection is enough to leave a seat for another one; that an answer is late is the breaker's affair. */
  #moveFrom(replica: Replica): void {
    if (!this.isSticky || this.#seat?.replica !== replica) return;
    const [other] = this.#usable(replica);
    if (other === undefined) return;
    this.#take(other);
    this.#tell(replica, null);
  }

  /** The seat stays where it is as long as that can be asked, so that nobody's agents are swapped for another's. */
  #settle(): void {
    const seat = this.#seat;
    if (seat !== null) {
      const { replica, session } = seat;
      if (replica.connection === 'RENEWING') return;
      if (isUsable(replica)) {
        // Another session of it follows one that has ended in an orderly way.
        if (replica.session !== session) this.#take(replica);
        return;
      }
    }
    const [best] = this.#usable(null);
    // One whose breaker is open is better than none: it will let a probe through.
    const isConnected = seat !== null && seat.replica.session === seat.session;
    const next = best ?? (isConnected ? seat.replica : this.replicas.find(({ session }) => session !== null));
    if (next === undefined) this.#seat = null;
    else if (next !== seat?.replica || !isConnected) this.#take(next);
  }

  #usable(without: Replica | null): Replica[] {
    const usable = this.replicas.filter((replica) => replica !== without && isUsable(replica));
    return rankReplicas(usable, this.#settings.slowStartMs);
  }

  #take(replica: Replica): void {
    const { session, type } = replica;
    this.#seat = session === null ? null : { replica, session, type };
  }

  #tell(replica: Replica, transition: CircuitTransition | null): void {
    const from = this.#lastInUse;
    const to = this.#seat?.replica ?? null;
    if (to !== null) this.#lastInUse = to;
    const moved = from === null || to === null || from === to ? null : { from, to };
    this.#events.emit({ replica, transition, failover: moved });
  }

  #isLost(seat: PrimarySession): boolean {
    return this.#seat !== null && this.#seat.replica !== seat.replica;
  }
}

function isIn({ connection }: Replica): boolean {
  return connection === 'CONNECTED' || connection === 'RENEWING';
}

function isUsable({ session, breaker }: Replica): boolean {
  return session !== null && breaker.state === 'CLOSED';
}

/** Milliseconds since the epoch; now, when its breaker waits for a probe's outcome. */
function retryAtOf({ breaker }: Replica): number {
  return breaker.retryAt === null ? 0 : Date.parse(breaker.retryAt);
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

/** Refusals are the same everywhere, but for one by a server that asks to be left alone. */
function isWorthAnother(error: unknown): boolean {
  return !(error instanceof ToolRejectedError) || error.retryAfterMs !== null;
}
