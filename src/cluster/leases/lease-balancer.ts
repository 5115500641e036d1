import type { Clock } from '../../shared/index.js';
import type { Lease } from './lease.js';
import type { LeaseStore } from './lease-store.js';
import { shouldAcquire, type LeaseCounts, shouldRelease } from './fair-share.js';

/** The leases that this node has, or would have, and its part of them. */
export class LeaseBalancer {
  readonly #leaseStore: LeaseStore;
  readonly #clock: Clock;
  readonly #leaseMs: number;
  readonly #leases = new Map<string, Lease>();
  readonly #taking = new Set<Lease>();
  #nodes: readonly string[] = [];

  constructor(book: LeaseStore, clock: Clock, leaseMs: number) {
    this.#leaseStore = book;
    this.#clock = clock;
    this.#leaseMs = leaseMs;
  }

  /** Nodes that live, this one included, as far as is known. */
  get nodes(): readonly string[] {
    return this.#nodes;
  }

  get(serverId: string): Lease | undefined {
    return this.#leases.get(serverId);
  }

  all(): readonly Lease[] {
    return [...this.#leases.values()];
  }

  add(lease: Lease): void {
    this.#leases.set(lease.serverId, lease);
  }

  /** Gives it up for good. */
  async remove(lease: Lease): Promise<void> {
    if (this.#leases.get(lease.serverId) === lease) this.#leases.delete(lease.serverId);
    await lease.close();
  }

  /** Renews what this node has, takes what it should have, and lets go one of those that are too many. */
  async rebalance(): Promise<void> {
    this.#know(await this.#leaseStore.announceNode());
    const leases = this.all();
    await Promise.all(leases.map((lease) => lease.refresh()));
    await Promise.all(leases.map((lease) => this.#takeIfDue(lease)));
    if (!shouldRelease(this.#shares())) return;
    leases
      .findLast(
        ({ claim, activeToken, isExtra, isReleasing }) =>
          claim.isTransferable && activeToken !== null && !isExtra && !isReleasing,
      )
      ?.requestRelease();
  }

  /**
   * Another node has let a server go.
   * @param gone a node that may be stopping: its part is for those that stay. If it does not, the next round counts it again
   */
  async onReleased(lease: Lease | undefined, gone: string | null): Promise<void> {
    if (gone !== null) this.#know((await this.#leaseStore.announceNode()).filter((nodeId) => nodeId !== gone));
    if (lease === undefined) return;
    await lease.refresh();
    await this.#takeIfDue(lease);
  }

  /** When a lease may be taken that nobody below its share has wanted, by the monotonic clock; `Infinity`: there is none. */
  get nextAcquireMs(): number {
    const times = this.all().flatMap(({ freeSinceMs }) => freeSinceMs ?? []);
    return Math.min(...times.map((time) => time + this.#leaseMs / 2));
  }

  #know(nodes: readonly string[]): void {
    if (nodes.join() === this.#nodes.join()) return;
    this.#nodes = nodes;
    for (const lease of this.all()) lease.isExtra = false;
  }

  async #takeIfDue(lease: Lease): Promise<void> {
    const { freeSinceMs } = lease;
    if (lease.heldToken !== null || freeSinceMs === null || this.#taking.has(lease)) return;
    const isShare = shouldAcquire(this.#shares(), lease.claim.isTransferable);
    const isForOthers = !isShare || lease.isMissingInRedis;
    if (isForOthers && this.#clock.monotonic() - freeSinceMs < this.#leaseMs / 2) return;
    this.#taking.add(lease);
    try {
      if (await lease.acquire()) {
        lease.isExtra = !isShare;
        return;
      }
    } finally {
      this.#taking.delete(lease);
    }
    // Another node was quicker: there is room again for one that was let go meanwhile.
    await Promise.all(this.all().map((other) => this.#takeIfDue(other)));
  }

  /** Of the leases that any node could have. */
  #shares(): LeaseCounts {
    const movable = this.all().filter(({ claim }) => claim.isTransferable);
    const held = movable.filter((lease) => (lease.heldToken !== null && !lease.isReleasing) || this.#taking.has(lease));
    const extra = held.filter(({ isExtra }) => isExtra);
    return { claimed: movable.length, held: held.length, extra: extra.length, nodes: this.#nodes.length };
  }
}
