import type { ServerHealth } from '../../model/index.js';
import { type Clock, errorMessage, type Logger } from '../../shared/index.js';
import type { LeaseHolder, LeaseStore } from './lease-store.js';
import type { OwnershipCandidate } from '../ownership.js';

/** The picture that all nodes share. */
export interface SnapshotSync {
  /** Brings the newest that is known of a server into this node's store. */
  pull(serverId: string): Promise<void>;
  /** Resolves when what this node has published of a server can be had by all, or cannot be for now. */
  flush(serverId: string): Promise<void>;
}

export interface LeaseDeps {
  readonly nodeId: string;
  readonly store: LeaseStore;
  readonly picture: SnapshotSync;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Which other node has it may be another. */
  readonly onHolderChanged: (lease: Lease) => void;
  /** This node has begun to watch the server. */
  readonly onAcquired: (lease: Lease) => void;
  /** This node does so no longer. @param leaves whether this node would not watch it again */
  readonly onReleased: (lease: Lease, leaves: boolean) => void;
}

/** The lease of one server that this node would watch: whose it is, and what follows when it becomes another's. */
export class Lease {
  readonly serverId: string;
  readonly claim: OwnershipCandidate;
  /** Resolves when it is known for the first time who watches the server, and what that one has seen of it. */
  readonly settled: Promise<void>;
  /** Taken though this node has its share: nobody else wanted it, so it stays. */
  isExtra = false;
  readonly #deps: LeaseDeps;
  #settle: () => void = () => undefined;
  #heldToken: number | null = null;
  #watched: number | null = null;
  #other: LeaseHolder | null = null;
  #otherHealth: ServerHealth | null = null;
  #freeSinceMs: number | null = null;
  #isForgotten = false;
  #isParting = false;
  #isSettled = false;
  #isClosed = false;
  #pendingRequest: Promise<void> | null = null;
  #turning: Promise<void> = Promise.resolve();

  constructor(serverId: string, claim: OwnershipCandidate, deps: LeaseDeps) {
    this.serverId = serverId;
    this.claim = claim;
    this.#deps = deps;
    this.settled = new Promise((resolve) => (this.#settle = resolve));
  }

  /** Under which this node has the lease; `null`: it does not. */
  get heldToken(): number | null {
    return this.#heldToken;
  }

  /** Under which this node watches the server: it has the lease, and knows what the one before has seen. */
  get activeToken(): number | null {
    return this.#watched;
  }

  /** The node that has the lease instead; `null`: none is known. */
  get otherHolder(): LeaseHolder | null {
    return this.#other;
  }

  /** As that node has measured it; `null`: nothing is known. */
  get otherHealth(): ServerHealth | null {
    return this.#other === null ? null : this.#otherHealth;
  }

  /** Since when nobody was seen to have it, by the monotonic clock; `null`: somebody has it, or nothing is known. */
  get freeSinceMs(): number | null {
    return this.#freeSinceMs;
  }

  /** Another node had it in a Redis that has been emptied since: that one may well renew it yet. */
  get isMissingInRedis(): boolean {
    return this.#isForgotten;
  }

  /** Renews the lease, or looks whose it is. One question at a time; it throws while Redis is away. */
  refresh(): Promise<void> {
    return this.#request(async () => {
      const { store, nodeId } = this.#deps;
      const term = this.#heldToken;
      if (this.#isClosed) return;
      if (term === null) {
        const { holder, health } = await store.read(this.serverId);
        this.#otherHealth = health;
        if (holder === null && this.#other !== null) this.#isForgotten = !(await store.hasRecord(this.serverId));
        // Redis has taken it for us, and we have not heard its answer.
        if (holder?.nodeId === nodeId) this.#hold(holder.fencingToken);
        else this.#isOf(holder);
        return;
      }
      const holder = await store.renew(this.serverId, term, this.#watched === null ? null : this.claim.health());
      if (holder?.nodeId !== nodeId || holder.fencingToken !== term) this.#lose(holder);
    });
  }

  /** Takes the lease if it is free. @returns whether this node has it now */
  async acquire(): Promise<boolean> {
    await this.#request(async () => {
      if (this.#heldToken !== null || this.#isClosed) return;
      const holder = await this.#deps.store.acquire(this.serverId);
      if (holder.nodeId === this.#deps.nodeId) this.#hold(holder.fencingToken);
      else this.#isOf(holder);
    });
    return this.#heldToken !== null;
  }

  /** Another node has told that it watches the server. */
  observeHolder(holder: LeaseHolder): void {
    if (this.#heldToken === null) {
      if (holder.fencingToken >= (this.#other?.fencingToken ?? 0)) this.#isOf(holder);
    } else if (holder.fencingToken > this.#heldToken) {
      this.#lose(holder);
    }
  }

  /** Whether it is about to be let go. */
  get isReleasing(): boolean {
    return this.#isParting;
  }

  /** Lets another node have it. */
  requestRelease(): void {
    this.#isParting = true;
    this.#turn(async () => {
      if (this.#watched !== null) {
        await this.claim.onReleased();
        await this.#release(false);
      }
      this.#isParting = false;
    });
  }

  /** Gives it up for good; whoever has made the claim watches no more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#pendingRequest?.catch(() => undefined);
    this.#turn(() => this.#release(true));
    await this.#turning;
    this.#settle();
  }

  #request(question: () => Promise<void>): Promise<void> {
    const before = this.#pendingRequest?.catch(() => undefined) ?? Promise.resolve();
    const asking = before.then(question).finally(() => {
      if (this.#pendingRequest === asking) this.#pendingRequest = null;
    });
    this.#pendingRequest = asking;
    return asking;
  }

  #hold(term: number): void {
    this.#heldToken = term;
    this.#isOf(null);
    this.#freeSinceMs = null;
    this.#turn(async () => {
      await this.#sync();
      if (this.#heldToken !== term || this.#isClosed) return;
      this.#watched = term;
      this.claim.onAcquired();
      this.#isSettled = true;
      this.#settle();
      this.#deps.onAcquired(this);
    });
  }

  #isOf(holder: LeaseHolder | null): void {
    this.#other = holder;
    if (holder !== null || this.#heldToken !== null) this.#isForgotten = false;
    if (holder !== null) this.#freeSinceMs = null;
    else if (this.#heldToken === null) this.#freeSinceMs ??= this.#deps.clock.monotonic();
    this.#deps.onHolderChanged(this);
    if (holder !== null && !this.#isSettled) this.#turn(() => this.#know());
  }

  async #know(): Promise<void> {
    if (this.#isSettled || this.#heldToken !== null) return;
    await this.#sync();
    this.#isSettled = true;
    this.#settle();
  }

  #lose(holder: LeaseHolder | null): void {
    const { serverId } = this;
    this.#deps.logger.info({ serverId, by: holder?.nodeId ?? null }, 'another node watches the server');
    // At once: what it still says would mix with what the other one tells.
    const closed = this.#watched === null ? Promise.resolve() : this.claim.onReleased();
    this.#heldToken = null;
    this.#watched = null;
    this.isExtra = false;
    this.#isOf(holder);
    this.#turn(() => closed);
    this.#deps.onReleased(this, false);
  }

  async #release(leaves: boolean): Promise<void> {
    const { store, picture, logger, onReleased } = this.#deps;
    const term = this.#heldToken;
    if (term === null) return;
    if (this.#watched !== null) await picture.flush(this.serverId);
    this.#heldToken = null;
    this.#watched = null;
    this.isExtra = false;
    this.#isOf(null);
    try {
      await store.release(this.serverId, term);
    } catch (error) {
      // It lapses by itself.
      logger.debug({ serverId: this.serverId, error: errorMessage(error) }, 'a lease was not released');
    }
    onReleased(this, leaves);
  }

  async #sync(): Promise<void> {
    try {
      await this.#deps.picture.pull(this.serverId);
    } catch (error) {
      const { serverId } = this;
      this.#deps.logger.warn({ serverId, error: errorMessage(error) }, 'the picture of the server could not be read');
    }
  }

  /** One after another: what is lost is closed before it is gained again. */
  #turn(action: () => Promise<void>): void {
    this.#turning = this.#turning.then(action).catch((error: unknown) => {
      const { serverId } = this;
      this.#deps.logger.error({ serverId, error: errorMessage(error) }, 'a server did not change hands as it should');
    });
  }
}
