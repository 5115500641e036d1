import type { ServerHealth } from '../../model/index.js';
import { type Clock, errorMessage, type Logger } from '../../shared/index.js';
import { FREE_LEASE, type LeaseRecord, type LeaseStore } from './lease-store.js';
import type { LeaseHolder, OwnershipCandidate } from '../ownership.js';

/** Port that synchronizes snapshots between nodes. */
export interface SnapshotSync {
  /** Reads the newest snapshot of a server into this node's store. */
  pull(serverId: string): Promise<void>;
  /** Resolves when the published changes of a server are in Redis, or cannot be written for now. */
  flush(serverId: string): Promise<void>;
  /** Marks a server of another node as stale until `reason` is null, because its owner stopped renewing its lease. */
  setOwnerSilence(serverId: string, reason: string | null): void;
}

export interface LeaseDeps {
  readonly nodeId: string;
  readonly store: LeaseStore;
  readonly snapshotSync: SnapshotSync;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Called after each look at the lease of a server that this node does not hold. */
  readonly onObserved: (lease: Lease) => void;
  /** Whether the link was down until recently, so that holders may still renew leases that expired meanwhile. */
  readonly hasJustReconnected: () => boolean;
  /** Called when this node has become the owner. */
  readonly onAcquired: (lease: Lease) => void;
  /** Called when this node is no longer the owner. `isLeaving` tells whether it gave up its claim. */
  readonly onReleased: (lease: Lease, isLeaving: boolean) => void;
}

/** Lease of one server that this node claims. Tracks its holder and informs the claim about changes. */
export class Lease {
  readonly serverId: string;
  readonly claim: OwnershipCandidate;
  /** Resolves when the owner of the server and its latest snapshot are known for the first time. */
  readonly settled: Promise<void>;
  /** Whether this node acquired the lease beyond its fair share because no other node did. */
  isExtra = false;
  readonly #deps: LeaseDeps;
  #settle: () => void = () => undefined;
  #heldToken: number | null = null;
  #activeToken: number | null = null;
  #otherHolder: LeaseHolder | null = null;
  #otherHealth: ServerHealth | null = null;
  #otherRenewedAtMs: number | null = null;
  /** Highest fencing token that any node is known to have held. 0 if none is known. */
  #highestToken = 0;
  #freeSinceMs: number | null = null;
  #mayHolderReturn = false;
  #isReleasing = false;
  #isSettled = false;
  #isClosed = false;
  #pendingRequest: Promise<void> | null = null;
  #transitions: Promise<void> = Promise.resolve();

  constructor(serverId: string, claim: OwnershipCandidate, deps: LeaseDeps) {
    this.serverId = serverId;
    this.claim = claim;
    this.#deps = deps;
    this.settled = new Promise((resolve) => (this.#settle = resolve));
  }

  /** Fencing token under which this node holds the lease. Null if it does not hold it. */
  get heldToken(): number | null {
    return this.#heldToken;
  }

  /** Fencing token under which this node owns the server: it holds the lease and has read the previous owner's snapshot. */
  get activeToken(): number | null {
    return this.#activeToken;
  }

  /** Other node that holds the lease. Null if none is known. */
  get otherHolder(): LeaseHolder | null {
    return this.#otherHolder;
  }

  /** Health that the other holder measured. Null if it is unknown. */
  get otherHealth(): ServerHealth | null {
    return this.#otherHolder === null ? null : this.#otherHealth;
  }

  /** Time of the last renewal by the other holder, by the Redis clock. Null if it is unknown. */
  get otherRenewedAtMs(): number | null {
    return this.#otherHolder === null ? null : this.#otherRenewedAtMs;
  }

  /** Monotonic time since which the lease is free. Null if it is held or if its state is unknown. */
  get freeSinceMs(): number | null {
    return this.#freeSinceMs;
  }

  /**
   * Whether the lease of another node disappeared because Redis was flushed or unavailable. That node may still renew it.
   */
  get mayHolderReturn(): boolean {
    return this.#mayHolderReturn;
  }

  /** Renews the lease, or reads its holder. One request at a time. Rejects while Redis is unavailable. */
  refresh(): Promise<void> {
    return this.#request(async () => {
      const { store, nodeId } = this.#deps;
      const fencingToken = this.#heldToken;
      if (this.#isClosed) return;
      if (fencingToken === null) {
        const record = await store.read(this.serverId);
        this.#otherHealth = record.health;
        if (record.isFree && this.#otherHolder !== null)
          this.#mayHolderReturn = this.#deps.hasJustReconnected() || !(await store.hasRecord(this.serverId));
        // Redis granted the lease, but its answer was lost.
        if (record.holder?.nodeId === nodeId) this.#hold(record.holder.fencingToken);
        else this.#observe(record);
        return;
      }
      const renewed = await store.renew(
        this.serverId,
        fencingToken,
        this.#activeToken === null ? null : this.claim.health(),
      );
      const { holder } = renewed;
      if (holder?.nodeId !== nodeId || holder.fencingToken !== fencingToken) this.#lose(renewed);
    });
  }

  /** Acquires the lease if it is free. Returns whether this node holds it. */
  async acquire(): Promise<boolean> {
    await this.#request(async () => {
      if (this.#heldToken !== null || this.#isClosed) return;
      const record = await this.#deps.store.acquire(this.serverId, this.#highestToken);
      if (record.holder?.nodeId === this.#deps.nodeId) this.#hold(record.holder.fencingToken);
      else this.#observe(record);
    });
    return this.#heldToken !== null;
  }

  /** Handles the announcement of another node that it owns the server. @param renewedAtMs time by the Redis clock */
  observeHolder(holder: LeaseHolder, renewedAtMs: number): void {
    const record = { holder, renewedAtMs, isFree: false };
    if (this.#heldToken === null) {
      if (holder.fencingToken >= (this.#otherHolder?.fencingToken ?? 0)) this.#observe(record);
    } else if (holder.fencingToken > this.#heldToken) {
      this.#lose(record);
    }
  }

  /** Whether this node is releasing the lease to another node. */
  get isReleasing(): boolean {
    return this.#isReleasing;
  }

  /** Releases the lease to another node. */
  requestRelease(): void {
    this.#isReleasing = true;
    this.#enqueue(async () => {
      if (this.#activeToken !== null) {
        await this.claim.onReleased();
        await this.#release(false);
      }
      this.#isReleasing = false;
    });
  }

  /** Gives up the lease for good. The claim must have stopped using the server. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#pendingRequest?.catch(() => undefined);
    this.#enqueue(() => this.#release(true));
    await this.#transitions;
    this.#settle();
  }

  #request(run: () => Promise<void>): Promise<void> {
    const previous = this.#pendingRequest?.catch(() => undefined) ?? Promise.resolve();
    const pending = previous.then(run).finally(() => {
      if (this.#pendingRequest === pending) this.#pendingRequest = null;
    });
    this.#pendingRequest = pending;
    return pending;
  }

  #hold(fencingToken: number): void {
    this.#heldToken = fencingToken;
    this.#highestToken = Math.max(this.#highestToken, fencingToken);
    this.#otherHolder = null;
    this.#freeSinceMs = null;
    this.#mayHolderReturn = false;
    this.#deps.onObserved(this);
    this.#enqueue(async () => {
      await this.#sync();
      if (this.#heldToken !== fencingToken || this.#isClosed) return;
      this.#activeToken = fencingToken;
      this.claim.onAcquired();
      this.#isSettled = true;
      this.#settle();
      this.#deps.onAcquired(this);
    });
  }

  /** Records the lease while this node does not hold it. */
  #observe({ holder, renewedAtMs, isFree }: LeaseRecord): void {
    this.#otherHolder = holder;
    this.#highestToken = Math.max(this.#highestToken, holder?.fencingToken ?? 0);
    this.#otherRenewedAtMs = renewedAtMs;
    if (!isFree) this.#mayHolderReturn = false;
    this.#freeSinceMs = isFree ? (this.#freeSinceMs ?? this.#deps.clock.monotonic()) : null;
    this.#deps.onObserved(this);
    if (holder !== null && !this.#isSettled) this.#enqueue(() => this.#settleWithOwner());
  }

  async #settleWithOwner(): Promise<void> {
    if (this.#isSettled || this.#heldToken !== null) return;
    await this.#sync();
    this.#isSettled = true;
    this.#settle();
  }

  #lose(record: LeaseRecord): void {
    const { serverId } = this;
    this.#deps.logger.info({ serverId, by: record.holder?.nodeId ?? null }, 'another node owns the server now');
    // Immediately, because late deltas of this node would mix with those of the new owner.
    const closed = this.#activeToken === null ? Promise.resolve() : this.claim.onReleased();
    this.#heldToken = null;
    this.#activeToken = null;
    this.isExtra = false;
    this.#observe(record);
    this.#enqueue(() => closed);
    this.#deps.onReleased(this, false);
  }

  async #release(isLeaving: boolean): Promise<void> {
    const { nodeId, store, snapshotSync, logger, onReleased } = this.#deps;
    const fencingToken = this.#heldToken;
    if (fencingToken === null) return;
    if (this.#activeToken !== null) await snapshotSync.flush(this.serverId);
    this.#heldToken = null;
    this.#activeToken = null;
    this.isExtra = false;
    this.#observe(FREE_LEASE);
    try {
      await store.release(this.serverId, { nodeId, fencingToken });
    } catch (error) {
      // The lease expires by itself.
      logger.debug({ serverId: this.serverId, error: errorMessage(error) }, 'could not release a lease');
    }
    onReleased(this, isLeaving);
  }

  async #sync(): Promise<void> {
    try {
      await this.#deps.snapshotSync.pull(this.serverId);
    } catch (error) {
      const { serverId } = this;
      this.#deps.logger.warn({ serverId, error: errorMessage(error) }, 'could not read the snapshot of the server');
    }
  }

  /** Runs transitions one after another, so that a lost server is closed before it is acquired again. */
  #enqueue(action: () => Promise<void>): void {
    this.#transitions = this.#transitions.then(action).catch((error: unknown) => {
      const { serverId } = this;
      this.#deps.logger.error({ serverId, error: errorMessage(error) }, 'the transfer of a server failed');
    });
  }
}
