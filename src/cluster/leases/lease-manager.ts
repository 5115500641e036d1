import type { RedisConnection } from '../redis/redis-connection.js';
import { type Clock, errorMessage, WakeSignal, type Logger } from '../../shared/index.js';
import type { Demand, Store } from '../../state/index.js';
import { NodeRpc } from '../rpc/node-rpc.js';
import { RpcRemoteServers } from '../rpc/remote-servers.js';
import { Lease, type LeaseDeps, type SnapshotSync } from './lease.js';
import { LeaseStore } from './lease-store.js';
import { LeaseBalancer } from './lease-balancer.js';
import {
  type LeaseAnnouncement,
  parseNodeMessage,
  parseLeaseAnnouncement,
  NODE_MESSAGE_VERSION,
} from '../rpc/node-messages.js';
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

/**
 * Assigns each server to one node of the cluster. If a node disappears, other nodes take over its servers within two lease
 * durations. A node that shuts down releases its leases, and others take over immediately.
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
  readonly #wakeSignal: WakeSignal;
  readonly #abort = new AbortController();
  readonly #connectionListener: Disposable;
  readonly #loop: Promise<void>;

  constructor(deps: LeaseManagerDeps) {
    this.#deps = deps;
    const { link, clock, leaseMs } = deps;
    this.#leaseStore = new LeaseStore(link, leaseMs);
    this.#leases = new LeaseBalancer(this.#leaseStore, clock, leaseMs);
    this.#wakeSignal = new WakeSignal(clock);
    this.#rpc = new NodeRpc({ ...deps, ownedServer: (serverId) => this.#ownedClaim(serverId) });
    this.#remoteServers = new RpcRemoteServers(this.#rpc);
    this.remote = this.#remoteServers;
    this.#demandRelay = new DemandRelay({ ...deps, remoteOwners: () => this.#remoteServers.holders });
    this.#connectionListener = link.onChange(() => {
      if (link.isUp) this.#wakeSignal.wake();
      else this.#rpc.failPending(() => true, 'Redis is unavailable');
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
      .removeNode()
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
        if (activeToken !== null) this.#announce([NODE_MESSAGE_VERSION, 'held', serverId, link.nodeId, activeToken]);
      },
      onHolderChanged: ({ serverId, otherHolder, otherHealth }) =>
        this.#remoteServers.update(serverId, otherHolder, otherHealth),
      onReleased: ({ serverId, otherHolder }, isLeaving) => {
        this.#demandRelay.dropServer(serverId);
        if (otherHolder === null) this.#announce([NODE_MESSAGE_VERSION, 'free', serverId, link.nodeId, isLeaving]);
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
    const subscribe = (channel: string, callback: (message: unknown) => void): void => {
      link.subscribe(channel, callback).then(
        async (subscription) => {
          if (signal.aborted) await subscription[Symbol.asyncDispose]();
          else subscriptions.push(subscription);
        },
        (error: unknown) => this.#logFailure(error, 'could not subscribe to messages of other nodes'),
      );
    };
    subscribe(link.keys.shared('leases'), (message) => this.#receiveAnnouncement(message));
    subscribe(link.keys.nodeChannel(link.nodeId), (message) => this.#receiveMessage(message));
    while (!signal.aborted) {
      const dueMs = clock.monotonic() + leaseMs / RENEWALS_PER_LEASE;
      if (link.isUp) {
        await this.#rebalance().catch((error: unknown) => this.#logFailure(error, 'could not renew the leases'));
      }
      // The lower bound limits the retries for a lease that is overdue.
      const delayMs = Math.max(Math.min(dueMs, this.#leases.nextAcquireMs) - clock.monotonic(), leaseMs / 30);
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
    this.#demandRelay.rebroadcast();
  }

  /** Reads owner and health of a server that this node does not claim. */
  async #readOwner(serverId: string): Promise<void> {
    if (this.#leases.get(serverId) !== undefined) return;
    const { holder, health } = await this.#leaseStore.read(serverId);
    if (this.#leases.get(serverId) !== undefined) return;
    this.#remoteServers.update(serverId, holder?.nodeId === this.#deps.link.nodeId ? null : holder, health);
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
  #receiveAnnouncement(message: unknown): void {
    const announcement = parseLeaseAnnouncement(message);
    if (announcement === null || announcement[3] === this.#deps.link.nodeId) return;
    const lease = this.#leases.get(announcement[2]);
    if (announcement[1] === 'held') {
      const [, , serverId, nodeId, fencingToken] = announcement;
      lease?.observeHolder({ nodeId, fencingToken });
      if (!this.#isHolder(serverId)) this.#remoteServers.update(serverId, { nodeId, fencingToken });
      this.#demandRelay.scheduleBroadcast();
      return;
    }
    const [, , serverId, nodeId, isLeaving] = announcement;
    this.#remoteServers.update(serverId, null);
    this.#try(this.#leases.onReleased(lease, isLeaving ? nodeId : null), serverId);
  }

  /** Handles a message to this node. */
  #receiveMessage(message: unknown): void {
    const nodeMessage = parseNodeMessage(message);
    if (nodeMessage === null) return;
    if (nodeMessage[1] !== 'demand') this.#rpc.receive(nodeMessage);
    else if (this.#isHolder(nodeMessage[3])) this.#demandRelay.receive(nodeMessage);
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
