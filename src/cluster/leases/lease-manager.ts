import type { RedisConnection } from '../redis/redis-connection.js';
import { type Clock, errorMessage, WakeSignal, type Logger } from '../../shared/index.js';
import type { Demand, Store } from '../../state/index.js';
import { NodeRpc } from '../rpc/node-rpc.js';
import { RpcRemoteServers } from '../rpc/remote-servers.js';
import { Lease, type LeaseDeps, type SnapshotSync } from './lease.js';
import { LeaseStore } from './lease-store.js';
import { LeaseBalancer } from './lease-balancer.js';
import { OwnerWatch } from './owner-watch.js';
import { type LeaseAnnouncement, parseNodeMessage, parseLeaseAnnouncement } from '../rpc/node-messages.js';
import type { MessageSource } from '../redis/channel-subscriptions.js';
import type { OwnershipCandidate, OwnershipClaim, RemoteServers, Ownership } from '../ownership.js';
import { DemandRelay } from '../rpc/demand-relay.js';

export interface LeaseManagerDeps {
  readonly link: RedisConnection;
  /** Lease duration without renewal, in milliseconds. At least 200. */
  readonly leaseMs: number;
  readonly snapshotSync: SnapshotSync;
  readonly store: Store;
  readonly demand: Demand;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Number of renewals per lease duration. */
const RENEWALS_PER_LEASE = 3;
/** Share of the lease duration after a reconnect in which other nodes may renew expired leases. */
const RETURN_WITHIN_LEASES = 0.5;
/** Delay in milliseconds after the end of a lease, because Redis expires it a moment after its last renewal was sent. */
const EXPIRY_DELAY_MS = 10;
const OWNER_SILENT = 'The node that owns the server does not respond.';

/**
 * Assigns each server to one node of the cluster. If a node disappears, other nodes mark its servers as stale after half a lease
 * duration, and take them over at once if its connection has ended, or when their leases expire. A node that shuts down releases its leases, and others take over
 * immediately.
 */
export class LeaseManager implements Ownership {
  readonly remote: RemoteServers;
  readonly #deps: LeaseManagerDeps;
  readonly #leaseStore: LeaseStore;
  readonly #leases: LeaseBalancer;
  /** Pending releases of claims that were given up, by server id. */
  readonly #pendingReleases = new Map<string, Promise<void>>();
  readonly #rpc: NodeRpc;
  readonly #remoteServers: RpcRemoteServers;
  readonly #demandRelay: DemandRelay;
  readonly #ownerWatch: OwnerWatch;
  readonly #wakeSignal: WakeSignal;
  readonly #abort = new AbortController();
  readonly #connectionListener: Disposable;
  readonly #loop: Promise<void>;
  /** Monotonic time of the last reconnect after an outage. */
  #reconnectedAtMs = -Infinity;
  #wasUp = false;

  constructor(deps: LeaseManagerDeps) {
    this.#deps = deps;
    const { link, clock, leaseMs } = deps;
    this.#leaseStore = new LeaseStore(link, leaseMs);
    this.#ownerWatch = new OwnerWatch(clock, leaseMs, (serverId, isSilent) => {
      if (isSilent) deps.logger.warn({ serverId }, 'the owner of the server does not respond');
      deps.snapshotSync.setOwnerSilence(serverId, isSilent ? OWNER_SILENT : null);
    });
    this.#leases = new LeaseBalancer(this.#leaseStore, clock, leaseMs);
    this.#wakeSignal = new WakeSignal(clock);
    this.#rpc = new NodeRpc({ ...deps, ownedServer: (serverId) => this.#ownedClaim(serverId) });
    this.#remoteServers = new RpcRemoteServers(this.#rpc);
    this.remote = this.#remoteServers;
    this.#demandRelay = new DemandRelay({ ...deps, remoteOwners: () => this.#remoteServers.holders });
    this.#connectionListener = link.onChange(() => {
      if (!link.isUp) {
        this.#rpc.failPending(() => true, 'Redis is unavailable');
        return;
      }
      if (this.#wasUp) this.#reconnectedAtMs = clock.monotonic();
      this.#wasUp = true;
      this.#wakeSignal.wake();
    });
    this.#loop = this.#run(this.#abort.signal);
  }

  /** Ids of the known live nodes, including this one. */
  get nodes(): readonly string[] {
    return this.#leases.nodes;
  }

  /** Number of pending requests between nodes and of demands of other nodes. */
  get pending(): number {
    return this.#rpc.size + this.#demandRelay.size;
  }

  /** Returns the fencing token under which this node owns a server. Null if it does not own it. */
  tokenOf(serverId: string): number | null {
    return this.#leases.get(serverId)?.activeToken ?? null;
  }

  /** Handles a write that was rejected because another node owns the server. */
  markFenced(serverId: string): void {
    const lease = this.#leases.get(serverId);
    if (lease !== undefined) this.#try(lease.refresh(), serverId);
  }

  claim(serverId: string, claim: OwnershipCandidate): OwnershipClaim {
    const lease = new Lease(serverId, claim, this.#leaseDeps());
    const previous = this.#pendingReleases.get(serverId) ?? Promise.resolve();
    let isGivenUp = false;
    const started = previous.then(() => {
      if (isGivenUp) return;
      this.#leases.add(lease);
      this.#wakeSignal.wake();
    });
    return {
      decided: lease.settled,
      [Symbol.asyncDispose]: async () => {
        isGivenUp = true;
        const release = started.then(() => this.#leases.remove(lease));
        this.#pendingReleases.set(serverId, release);
        await release;
        if (this.#pendingReleases.get(serverId) === release) this.#pendingReleases.delete(serverId);
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    await this.#loop;
    this.#connectionListener[Symbol.dispose]();
    await Promise.all(this.#leases.all().map((lease) => this.#leases.remove(lease)));
    this.#demandRelay[Symbol.dispose]();
    this.#rpc[Symbol.dispose]();
    if (!this.#deps.link.isUp) return;
    await this.#leaseStore
      .removeNode(this.#deps.link.nodeId)
      .catch((error: unknown) => this.#logFailure(error, 'could not remove this node from the list'));
  }

  #leaseDeps(): LeaseDeps {
    const { link, snapshotSync, clock, logger } = this.#deps;
    return {
      nodeId: link.nodeId,
      store: this.#leaseStore,
      snapshotSync,
      clock,
      logger,
      onAcquired: ({ serverId, activeToken }) => {
        this.#ownerWatch.forget(serverId);
        if (activeToken !== null) this.#announce(['held', serverId, activeToken]);
      },
      onObserved: ({ serverId, otherHolder, otherHealth }) =>
        this.#remoteServers.update(serverId, otherHolder, otherHealth),
      hasJustReconnected: () => this.#hasJustReconnected(),
      onReleased: ({ serverId, otherHolder }, isLeaving) => {
        this.#demandRelay.dropServer(serverId);
        if (otherHolder === null) this.#announce(['free', serverId, isLeaving]);
      },
    };
  }

  /** Returns the claim of a server that this node owns. */
  #ownedClaim(serverId: string): OwnershipCandidate | null {
    const lease = this.#leases.get(serverId);
    return lease === undefined || lease.activeToken === null ? null : lease.claim;
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { link, clock, leaseMs } = this.#deps;
    const subscriptions: AsyncDisposable[] = [];
    // A subscription waits while Redis is unavailable, so it is not awaited here.
    const subscribe = (channel: string, callback: (message: unknown, source: MessageSource) => void): void => {
      link.subscribe(channel, callback).then(
        async (subscription) => {
          if (signal.aborted) await subscription[Symbol.asyncDispose]();
          else subscriptions.push(subscription);
        },
        (error: unknown) => this.#logFailure(error, 'could not subscribe to messages of other nodes'),
      );
    };
    subscribe(link.keys.shared('leases'), (message, { senderId }) => this.#receiveAnnouncement(message, senderId));
    subscribe(link.keys.nodeChannel(link.nodeId), (message, { senderId }) => this.#receiveMessage(message, senderId));
    while (!signal.aborted) {
      const dueMs = clock.monotonic() + leaseMs / RENEWALS_PER_LEASE;
      if (link.isUp) {
        await this.#rebalance().catch((error: unknown) => this.#logFailure(error, 'could not renew the leases'));
      }
      const nextLookMs = this.#ownerWatch.nextLookMs + EXPIRY_DELAY_MS;
      // The lower bound limits the retries for a lease that is overdue.
      const delayMs = Math.max(
        Math.min(dueMs, this.#leases.nextAcquireMs, nextLookMs) - clock.monotonic(),
        leaseMs / 30,
      );
      await this.#wakeSignal.wait(delayMs, signal);
    }
    for (const subscription of subscriptions) await subscription[Symbol.asyncDispose]();
  }

  /** Updates the live nodes, the leases of this node and the owners of all other servers. */
  async #rebalance(): Promise<void> {
    const { store } = this.#deps;
    await this.#leases.rebalance();
    const { nodes } = this.#leases;
    this.#rpc.failPending((nodeId) => !nodes.includes(nodeId), 'the owner disappeared');
    // Includes servers that this node does not claim, such as taps of other nodes.
    const ids = new Set([...store.servers.values()].map(({ id }) => id).concat(this.#remoteServers.serverIds));
    await Promise.all([...ids].map((serverId) => this.#readOwner(serverId)));
    for (const lease of this.#leases.all()) this.#watch(lease.serverId, lease.otherRenewedAtMs);
    await Promise.all(this.#leases.all().map((lease) => this.#replaceEndedOwner(lease)));
    this.#ownerWatch.keep(new Set([...ids, ...this.#leases.all().map(({ serverId }) => serverId)]));
    this.#demandRelay.rebroadcast();
  }

  /**
   * Acquires the lease of a silent owner whose connection to Redis has ended, instead of waiting until it expires. An owner that is
   * alive after all loses the server at its next renewal.
   */
  async #replaceEndedOwner(lease: Lease): Promise<void> {
    const { serverId, otherHolder } = lease;
    if (otherHolder === null || !this.#ownerWatch.isSilent(serverId) || this.#hasJustReconnected()) return;
    if (await this.#leaseStore.isConnected(otherHolder.nodeId)) return;
    await this.#leaseStore.removeNode(otherHolder.nodeId);
    await this.#leaseStore.release(serverId, otherHolder);
    await this.#leases.onReleased(lease, otherHolder.nodeId);
  }

  /** Whether Redis was unavailable until recently, so that other nodes may not have reconnected yet. */
  #hasJustReconnected(): boolean {
    const { clock, leaseMs } = this.#deps;
    return clock.monotonic() - this.#reconnectedAtMs < leaseMs * RETURN_WITHIN_LEASES;
  }

  /** Reads owner and health of a server that this node does not claim. */
  async #readOwner(serverId: string): Promise<void> {
    if (this.#leases.get(serverId) !== undefined) return;
    const { holder, health, renewedAtMs } = await this.#leaseStore.read(serverId);
    if (this.#leases.get(serverId) !== undefined) return;
    this.#remoteServers.update(serverId, holder?.nodeId === this.#deps.link.nodeId ? null : holder, health);
    this.#watch(serverId, renewedAtMs);
  }

  /** Records a look at the lease of a server. */
  #watch(serverId: string, renewedAtMs: number | null): void {
    if (this.tokenOf(serverId) !== null) this.#ownerWatch.forget(serverId);
    // A node that is about to own the server shows it as stale until its first poll.
    else if (!this.#isHolder(serverId))
      this.#ownerWatch.observe(serverId, renewedAtMs === null ? null : this.#deps.link.time.now() - renewedAtMs);
  }

  #isHolder(serverId: string): boolean {
    const lease = this.#leases.get(serverId);
    return lease !== undefined && lease.heldToken !== null;
  }

  #announce(announcement: LeaseAnnouncement): void {
    const { link } = this.#deps;
    // The other nodes also read the leases periodically.
    link
      .publish(link.keys.shared('leases'), announcement)
      .catch((error: unknown) => this.#logFailure(error, 'could not announce a lease'));
  }

  /** Handles an announcement to all nodes. */
  #receiveAnnouncement(message: unknown, nodeId: string): void {
    const { link } = this.#deps;
    const announcement = parseLeaseAnnouncement(message);
    if (announcement === null || nodeId === link.nodeId) return;
    const lease = this.#leases.get(announcement[1]);
    if (announcement[0] === 'held') {
      const [, serverId, fencingToken] = announcement;
      const atMs = link.time.now();
      lease?.observeHolder({ nodeId, fencingToken }, atMs);
      this.#watch(serverId, atMs);
      if (!this.#isHolder(serverId)) this.#remoteServers.update(serverId, { nodeId, fencingToken });
      this.#demandRelay.scheduleBroadcast();
      return;
    }
    const [, serverId, isLeaving] = announcement;
    this.#remoteServers.update(serverId, null);
    this.#try(this.#leases.onReleased(lease, isLeaving ? nodeId : null), serverId);
  }

  /** Handles a message to this node. */
  #receiveMessage(message: unknown, nodeId: string): void {
    const nodeMessage = parseNodeMessage(message);
    if (nodeMessage === null) return;
    if (nodeMessage[0] !== 'demand') this.#rpc.receive(nodeMessage, nodeId);
    else if (this.#isHolder(nodeMessage[1])) this.#demandRelay.receive(nodeMessage, nodeId);
  }

  #try(action: Promise<unknown>, serverId: string): void {
    action.catch((error: unknown) => this.#logFailure(error, `could not read the lease of ${serverId}`));
  }

  /** Logs a failure. Only as debug while Redis is unavailable, because the connection logs that once. */
  #logFailure(error: unknown, message: string): void {
    const { link, logger } = this.#deps;
    const reason = { error: errorMessage(error) };
    if (link.isUp) logger.warn(reason, message);
    else logger.debug(reason, message);
  }
}
