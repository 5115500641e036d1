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
  /** How long a lease lasts that is not renewed, milliseconds; 200 or more. */
  readonly leaseMs: number;
  readonly snapshotSync: SnapshotSync;
  readonly store: Store;
  readonly demand: Demand;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Leases are renewed so often within the time that they last. */
const RENEWALS = 3;

/**
 * Of all nodes on one Redis, the one that holds its lease watches a server. A node that is gone is followed within two
 * lease times; one that stops releases its leases, and is followed at once.
 */
export class LeaseManager implements Ownership {
  readonly remote: RemoteServers;
  readonly #deps: LeaseManagerDeps;
  readonly #leaseStore: LeaseStore;
  readonly #leases: LeaseBalancer;
  /** Those that were given up and may still be released. */
  readonly #leaving = new Map<string, Promise<void>>();
  readonly #calls: NodeRpc;
  readonly #remoteServers: RpcRemoteServers;
  readonly #wishes: DemandRelay;
  readonly #wakeSignal: WakeSignal;
  readonly #stop = new AbortController();
  readonly #linkWatch: Disposable;
  readonly #running: Promise<void>;

  constructor(deps: LeaseManagerDeps) {
    this.#deps = deps;
    const { link, clock, leaseMs } = deps;
    this.#leaseStore = new LeaseStore(link, leaseMs);
    this.#leases = new LeaseBalancer(this.#leaseStore, clock, leaseMs);
    this.#wakeSignal = new WakeSignal(clock);
    this.#calls = new NodeRpc({ ...deps, ownedServer: (serverId) => this.#watchedClaim(serverId) });
    this.#remoteServers = new RpcRemoteServers(this.#calls);
    this.remote = this.#remoteServers;
    this.#wishes = new DemandRelay({ ...deps, watchedElsewhere: () => this.#remoteServers.holders });
    this.#linkWatch = link.onChange(() => {
      if (link.isUp) this.#wakeSignal.wake();
      else this.#calls.failPending(() => true, 'Redis is away');
    });
    this.#running = this.#run(this.#stop.signal);
  }

  /** Nodes that live, this one included, as far as is known. */
  get nodes(): readonly string[] {
    return this.#leases.nodes;
  }

  /** Calls between nodes that are under way, and wishes of other nodes that are followed. */
  get pending(): number {
    return this.#calls.size + this.#wishes.size;
  }

  /** The fencing number under which this node watches a server; `null`: it does not. */
  tokenOf(serverId: string): number | null {
    return this.#leases.get(serverId)?.activeToken ?? null;
  }

  /** A write was refused, because another node has taken the server. */
  markFenced(serverId: string): void {
    const lease = this.#leases.get(serverId);
    if (lease !== undefined) this.#try(lease.refresh(), serverId);
  }

  claim(serverId: string, claim: OwnershipCandidate): OwnershipClaim {
    const lease = new Lease(serverId, claim, this.#leaseDeps());
    const before = this.#leaving.get(serverId) ?? Promise.resolve();
    let isGivenUp = false;
    const begun = before.then(() => {
      if (isGivenUp) return;
      this.#leases.add(lease);
      this.#wakeSignal.wake();
    });
    return {
      decided: lease.settled,
      [Symbol.asyncDispose]: async () => {
        isGivenUp = true;
        const leaving = begun.then(() => this.#leases.remove(lease));
        this.#leaving.set(serverId, leaving);
        await leaving;
        if (this.#leaving.get(serverId) === leaving) this.#leaving.delete(serverId);
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running;
    this.#linkWatch[Symbol.dispose]();
    await Promise.all(this.#leases.all().map((lease) => this.#leases.remove(lease)));
    this.#wishes[Symbol.dispose]();
    this.#calls[Symbol.dispose]();
    if (!this.#deps.link.isUp) return;
    await this.#leaseStore
      .removeNode()
      .catch((error: unknown) => this.#complain(error, 'this node did not leave the list'));
  }

  #leaseDeps(): LeaseDeps {
    const { link, snapshotSync, clock, logger } = this.#deps;
    return {
      nodeId: link.nodeId,
      store: this.#leaseStore,
      picture: snapshotSync,
      clock,
      logger,
      onAcquired: ({ serverId, activeToken }) => {
        if (activeToken !== null) this.#tell([NODE_MESSAGE_VERSION, 'held', serverId, link.nodeId, activeToken]);
      },
      onHolderChanged: ({ serverId, otherHolder, otherHealth }) =>
        this.#remoteServers.update(serverId, otherHolder, otherHealth),
      onReleased: ({ serverId, otherHolder }, leaves) => {
        this.#wishes.dropServer(serverId);
        if (otherHolder === null) this.#tell([NODE_MESSAGE_VERSION, 'free', serverId, link.nodeId, leaves]);
      },
    };
  }

  /** What this node watches can be asked of it. */
  #watchedClaim(serverId: string): OwnershipCandidate | null {
    const lease = this.#leases.get(serverId);
    return lease === undefined || lease.activeToken === null ? null : lease.claim;
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { link, clock, leaseMs } = this.#deps;
    const heard: AsyncDisposable[] = [];
    // While Redis is away that waits, until the link is closed if need be: nobody waits for it here.
    const hear = (channel: string, callback: (message: unknown) => void): void => {
      link.subscribe(channel, callback).then(
        async (one) => {
          if (signal.aborted) await one[Symbol.asyncDispose]();
          else heard.push(one);
        },
        (error: unknown) => this.#complain(error, 'other nodes cannot be heard'),
      );
    };
    hear(link.keys.shared('leases'), (message) => this.#receive(message));
    hear(link.keys.nodeChannel(link.nodeId), (message) => this.#read(message));
    while (!signal.aborted) {
      const dueMs = clock.monotonic() + leaseMs / RENEWALS;
      if (link.isUp) {
        await this.#round().catch((error: unknown) => this.#complain(error, 'leases were not looked after'));
      }
      // Not at once, whatever is wrong with what should have been taken long ago.
      const pauseMs = Math.max(Math.min(dueMs, this.#leases.nextAcquireMs) - clock.monotonic(), leaseMs / 30);
      await this.#wakeSignal.wait(pauseMs, signal);
    }
    for (const one of heard) await one[Symbol.asyncDispose]();
  }

  /** Looks after everything once: who lives, which leases this node has, what other nodes watch. */
  async #round(): Promise<void> {
    const { store } = this.#deps;
    await this.#leases.rebalance();
    const { nodes } = this.#leases;
    this.#calls.failPending((nodeId) => !nodes.includes(nodeId), 'the node that was asked is gone');
    // Servers in the picture that this node would not watch: taps of another one, say.
    const ids = new Set([...store.servers.values()].map(({ id }) => id).concat(this.#remoteServers.serverIds));
    await Promise.all([...ids].map((serverId) => this.#lookAt(serverId)));
    this.#wishes.rebroadcast();
  }

  /** What is known of a server that another node watches. */
  async #lookAt(serverId: string): Promise<void> {
    if (this.#leases.get(serverId) !== undefined) return;
    const { holder, health } = await this.#leaseStore.read(serverId);
    if (this.#leases.get(serverId) !== undefined) return;
    this.#remoteServers.update(serverId, holder?.nodeId === this.#deps.link.nodeId ? null : holder, health);
  }

  #isHeld(serverId: string): boolean {
    const lease = this.#leases.get(serverId);
    return lease !== undefined && lease.heldToken !== null;
  }

  #tell(news: LeaseAnnouncement): void {
    const { link } = this.#deps;
    // All look by themselves soon enough.
    link
      .publish(link.keys.shared('leases'), news)
      .catch((error: unknown) => this.#complain(error, 'news was not told'));
  }

  /** What another node tells all. */
  #receive(message: unknown): void {
    const news = parseLeaseAnnouncement(message);
    if (news === null || news[3] === this.#deps.link.nodeId) return;
    const lease = this.#leases.get(news[2]);
    if (news[1] === 'held') {
      const [, , serverId, nodeId, term] = news;
      lease?.observeHolder({ nodeId, fencingToken: term });
      if (!this.#isHeld(serverId)) this.#remoteServers.update(serverId, { nodeId, fencingToken: term });
      this.#wishes.scheduleBroadcast();
      return;
    }
    const [, , serverId, nodeId, leaves] = news;
    this.#remoteServers.update(serverId, null);
    this.#try(this.#leases.onReleased(lease, leaves ? nodeId : null), serverId);
  }

  /** What another node tells this one. */
  #read(message: unknown): void {
    const letter = parseNodeMessage(message);
    if (letter === null) return;
    if (letter[1] !== 'want') this.#calls.receive(letter);
    else if (this.#isHeld(letter[3])) this.#wishes.receive(letter);
  }

  #try(done: Promise<unknown>, serverId: string): void {
    done.catch((error: unknown) => this.#complain(error, `the lease of ${serverId} was not looked at`));
  }

  /** While Redis is away that is said elsewhere, once. */
  #complain(error: unknown, what: string): void {
    const { link, logger } = this.#deps;
    const reason = { error: errorMessage(error) };
    if (link.isUp) logger.warn(reason, what);
    else logger.debug(reason, what);
  }
}
