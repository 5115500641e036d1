import type { Clock } from '../../shared/index.js';
import type { Lease } from './lease.js';
import type { LeaseStore } from './lease-store.js';
import { shouldAcquire, type LeaseCounts, shouldRelease } from './fair-share.js';

/** Renews, acquires and releases leases so that this node holds its fair share. */
export class LeaseBalancer {
  readonly #leaseStore: LeaseStore;
  readonly #clock: Clock;
  readonly #leaseMs: number;
  readonly #leases = new Map<string, Lease>();
  readonly #acquiring = new Set<Lease>();
  #nodes: readonly string[] = [];

  constructor(leaseStore: LeaseStore, clock: Clock, leaseMs: number) {
    this.#leaseStore = leaseStore;
    this.#clock = clock;
    this.#leaseMs = leaseMs;
  }

  /** Ids of the known live nodes, including this one. */
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

  /** Removes and closes a lease. */
  async remove(lease: Lease): Promise<void> {
    if (this.#leases.get(lease.serverId) === lease) this.#leases.delete(lease.serverId);
    await lease.close();
  }

  /** Renews the held leases, acquires missing ones, and releases one lease above the fair share. */
  async rebalance(): Promise<void> {
    this.#updateNodes(await this.#leaseStore.announceNode());
    const leases = this.all();
    await Promise.all(leases.map((lease) => lease.refresh()));
    await Promise.all(leases.map((lease) => this.#acquireIfDue(lease)));
    if (!shouldRelease(this.#counts())) return;
    leases
      .findLast(
        ({ claim, activeToken, isExtra, isReleasing }) =>
          claim.isTransferable && activeToken !== null && !isExtra && !isReleasing,
      )
      ?.requestRelease();
  }

  /**
   * Handles the release of a server by another node.
   * @param leavingNodeId node that may be shutting down. Excluded from the fair share until the next round
   */
  async onReleased(lease: Lease | undefined, leavingNodeId: string | null): Promise<void> {
    if (leavingNodeId !== null)
      this.#updateNodes((await this.#leaseStore.announceNode()).filter((nodeId) => nodeId !== leavingNodeId));
    if (lease === undefined) return;
    await lease.refresh();
    await this.#acquireIfDue(lease);
  }

  /** Monotonic time at which a lease above the fair share may be acquired. Infinity if there is none. */
  get nextAcquireMs(): number {
    const times = this.all().flatMap(({ freeSinceMs }) => freeSinceMs ?? []);
    return Math.min(...times.map((time) => time + this.#leaseMs / 2));
  }

  #updateNodes(nodes: readonly string[]): void {
    if (nodes.join() === this.#nodes.join()) return;
    this.#nodes = nodes;
    for (const lease of this.all()) lease.isExtra = false;
  }

  async #acquireIfDue(lease: Lease): Promise<void> {
    const { freeSinceMs } = lease;
    if (lease.heldToken !== null || freeSinceMs === null || this.#acquiring.has(lease)) return;
    const isShare = shouldAcquire(this.#counts(), lease.claim.isTransferable);
    const isForOthers = !isShare || lease.mayHolderReturn;
    if (isForOthers && this.#clock.monotonic() - freeSinceMs < this.#leaseMs / 2) return;
    this.#acquiring.add(lease);
    try {
      if (await lease.acquire()) {
        lease.isExtra = !isShare;
        return;
      }
    } finally {
      this.#acquiring.delete(lease);
    }
    // Another node was faster, so that this node can acquire a lease that was released meanwhile.
    await Promise.all(this.all().map((candidate) => this.#acquireIfDue(candidate)));
  }

  /** Counts the leases that every node can hold. */
  #counts(): LeaseCounts {
    const transferable = this.all().filter(({ claim }) => claim.isTransferable);
    const held = transferable.filter(
      (lease) => (lease.heldToken !== null && !lease.isReleasing) || this.#acquiring.has(lease),
    );
    const extra = held.filter(({ isExtra }) => isExtra);
    return { claimed: transferable.length, held: held.length, extra: extra.length, nodes: this.#nodes.length };
  }
}
