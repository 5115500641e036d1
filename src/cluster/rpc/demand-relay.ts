import type { RedisConnection } from '../redis/redis-connection.js';
import type { LeaseHolder } from '../ownership.js';
import { type Clock, errorMessage, type Logger } from '../../shared/index.js';
import { createView, type Demand, type Store } from '../../state/index.js';
import type { NodeMessage } from './node-messages.js';

export interface DemandRelayDeps {
  readonly link: RedisConnection;
  readonly demand: Demand;
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly leaseMs: number;
  /** Returns the owners of all servers that other nodes own, by server id. */
  readonly remoteOwners: () => ReadonlyMap<string, LeaseHolder>;
}

/** Delay in milliseconds before changed demand is sent, because clients often come and go together. */
const DEBOUNCE_MS = 10;

interface SentDemand {
  readonly holder: LeaseHolder;
  readonly hz: number;
}

interface ReceivedDemand {
  readonly entry: Disposable;
  readonly hz: number;
  expiry: Disposable;
}

/** Sends this node's demand to the owners of servers, and holds the demand of other nodes. */
export class DemandRelay implements Disposable {
  readonly #deps: DemandRelayDeps;
  readonly #changes: Disposable;
  readonly #sent = new Map<string, SentDemand>();
  /** Demand of other nodes, by server and node. */
  readonly #received = new Map<string, Map<string, ReceivedDemand>>();
  #scheduledBroadcast: Disposable | null = null;

  constructor(deps: DemandRelayDeps) {
    this.#deps = deps;
    this.#changes = deps.demand.onChange(() => this.scheduleBroadcast());
  }

  /** Number of demands of other nodes. */
  get size(): number {
    let size = 0;
    for (const nodes of this.#received.values()) size += nodes.size;
    return size;
  }

  /** Schedules a broadcast because demand or owners may have changed. */
  scheduleBroadcast(): void {
    this.#scheduledBroadcast ??= this.#deps.clock.schedule(DEBOUNCE_MS, () => {
      this.#scheduledBroadcast = null;
      this.#broadcast(false);
    });
  }

  /** Sends all demand again, because it expires otherwise. */
  rebroadcast(): void {
    this.#broadcast(true);
  }

  /** Handles the demand of another node for a server of this node. 0 Hz ends it. */
  receive([, serverId, hz]: Extract<NodeMessage, ['demand', ...unknown[]]>, nodeId: string): void {
    const { demand, clock, leaseMs } = this.#deps;
    const existing = this.#received.get(serverId)?.get(nodeId);
    if (existing?.hz === hz) {
      existing.expiry[Symbol.dispose]();
      existing.expiry = clock.schedule(leaseMs, () => this.#drop(serverId, nodeId));
      return;
    }
    // The new entry is added first, so that the poll rate does not drop in between.
    const entry = hz > 0 ? demand.add(createView({ serverIds: [serverId] }), hz) : null;
    this.#drop(serverId, nodeId);
    if (entry === null) return;
    const expiry = clock.schedule(leaseMs, () => this.#drop(serverId, nodeId));
    let nodes = this.#received.get(serverId);
    if (nodes === undefined) this.#received.set(serverId, (nodes = new Map<string, ReceivedDemand>()));
    nodes.set(nodeId, { entry, hz, expiry });
  }

  /** Drops all demand for a server that this node no longer owns. */
  dropServer(serverId: string): void {
    for (const nodeId of [...(this.#received.get(serverId)?.keys() ?? [])]) this.#drop(serverId, nodeId);
  }

  [Symbol.dispose](): void {
    this.#changes[Symbol.dispose]();
    this.#scheduledBroadcast?.[Symbol.dispose]();
    for (const serverId of [...this.#received.keys()]) this.dropServer(serverId);
  }

  #drop(serverId: string, nodeId: string): void {
    const nodes = this.#received.get(serverId);
    const received = nodes?.get(nodeId);
    if (nodes === undefined || received === undefined) return;
    nodes.delete(nodeId);
    if (nodes.size === 0) this.#received.delete(serverId);
    received.expiry[Symbol.dispose]();
    received.entry[Symbol.dispose]();
  }

  #broadcast(isRebroadcast: boolean): void {
    const { link, demand, store, remoteOwners } = this.#deps;
    if (!link.isUp) return;
    const owners = remoteOwners();
    for (const serverId of this.#sent.keys()) if (!owners.has(serverId)) this.#sent.delete(serverId);
    for (const [serverId, holder] of owners) {
      const server = store.servers.get(serverId);
      const hz = server === undefined ? 0 : demand.requiredHz(server);
      const sent = this.#sent.get(serverId);
      const isNew = sent?.holder.nodeId !== holder.nodeId || sent.holder.fencingToken !== holder.fencingToken;
      // An owner that received no demand needs no message that there is none.
      if (hz === 0 && (sent === undefined || isNew || sent.hz === 0)) this.#sent.delete(serverId);
      else if (isRebroadcast || isNew || sent.hz !== hz) this.#send(serverId, { holder, hz });
    }
  }

  #send(serverId: string, sent: SentDemand): void {
    const { link, logger } = this.#deps;
    this.#sent.set(serverId, sent);
    const message: NodeMessage = ['demand', serverId, sent.hz];
    // The next rebroadcast repeats it.
    link.publish(link.keys.nodeChannel(sent.holder.nodeId), message).catch((error: unknown) => {
      logger.debug({ serverId, error: errorMessage(error) }, 'could not send demand to another node');
    });
  }
}
