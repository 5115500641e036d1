import type { RedisConnection } from '../redis/redis-connection.js';
import { type Clock, errorMessage, type Logger } from '../../shared/index.js';
import { createView, type Demand, type Store } from '../../state/index.js';
import type { LeaseHolder } from '../leases/lease-store.js';
import { type NodeMessage, NODE_MESSAGE_VERSION } from './node-messages.js';

export interface DemandRelayDeps {
  readonly link: RedisConnection;
  readonly demand: Demand;
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly leaseMs: number;
  /** The node that watches a server instead of this one, for each that one does. */
  readonly watchedElsewhere: () => ReadonlyMap<string, LeaseHolder>;
}

/** Clients come and go in crowds: what they want is told once for all that do so within this time. */
const GATHER_MS = 10;

interface SentDemand {
  readonly holder: LeaseHolder;
  readonly hz: number;
}

interface ReceivedDemand {
  readonly wish: Disposable;
  readonly hz: number;
  lapse: Disposable;
}

/** Carries what clients want to the node that watches the server, and holds what the others' clients want of this one. */
export class DemandRelay implements Disposable {
  readonly #deps: DemandRelayDeps;
  readonly #changes: Disposable;
  readonly #sent = new Map<string, SentDemand>();
  /** By server, by node. */
  readonly #received = new Map<string, Map<string, ReceivedDemand>>();
  #gathering: Disposable | null = null;

  constructor(deps: DemandRelayDeps) {
    this.#deps = deps;
    this.#changes = deps.demand.onChange(() => this.scheduleBroadcast());
  }

  /** Wishes of other nodes that this one follows. */
  get size(): number {
    let size = 0;
    for (const nodes of this.#received.values()) size += nodes.size;
    return size;
  }

  /** What is wanted, or who is to be told, may be another. */
  scheduleBroadcast(): void {
    this.#gathering ??= this.#deps.clock.schedule(GATHER_MS, () => {
      this.#gathering = null;
      this.#tell(false);
    });
  }

  /** What is not told again lapses. */
  rebroadcast(): void {
    this.#tell(true);
  }

  /** Another node's clients want `hz` updates a second of a server that this node watches; 0: none do any more. */
  receive([, , nodeId, serverId, hz]: Extract<NodeMessage, [unknown, 'want', ...unknown[]]>): void {
    const { demand, clock, leaseMs } = this.#deps;
    const known = this.#received.get(serverId)?.get(nodeId);
    if (known?.hz === hz) {
      known.lapse[Symbol.dispose]();
      known.lapse = clock.schedule(leaseMs, () => this.#drop(serverId, nodeId));
      return;
    }
    // The new one first, or the server would be asked less often in between.
    const wish = hz > 0 ? demand.add(createView({ serverIds: [serverId] }), hz) : null;
    this.#drop(serverId, nodeId);
    if (wish === null) return;
    const lapse = clock.schedule(leaseMs, () => this.#drop(serverId, nodeId));
    let nodes = this.#received.get(serverId);
    if (nodes === undefined) this.#received.set(serverId, (nodes = new Map<string, ReceivedDemand>()));
    nodes.set(nodeId, { wish, hz, lapse });
  }

  /** This node does not watch the server any more: wishes go to whoever does. */
  dropServer(serverId: string): void {
    for (const nodeId of [...(this.#received.get(serverId)?.keys() ?? [])]) this.#drop(serverId, nodeId);
  }

  [Symbol.dispose](): void {
    this.#changes[Symbol.dispose]();
    this.#gathering?.[Symbol.dispose]();
    for (const serverId of [...this.#received.keys()]) this.dropServer(serverId);
  }

  #drop(serverId: string, nodeId: string): void {
    const nodes = this.#received.get(serverId);
    const heard = nodes?.get(nodeId);
    if (nodes === undefined || heard === undefined) return;
    nodes.delete(nodeId);
    if (nodes.size === 0) this.#received.delete(serverId);
    heard.lapse[Symbol.dispose]();
    heard.wish[Symbol.dispose]();
  }

  #tell(isAgain: boolean): void {
    const { link, demand, store, watchedElsewhere } = this.#deps;
    if (!link.isUp) return;
    const elsewhere = watchedElsewhere();
    for (const serverId of this.#sent.keys()) if (!elsewhere.has(serverId)) this.#sent.delete(serverId);
    for (const [serverId, holder] of elsewhere) {
      const server = store.servers.get(serverId);
      const hz = server === undefined ? 0 : demand.requiredHz(server);
      const told = this.#sent.get(serverId);
      const isNew = told?.holder.nodeId !== holder.nodeId || told.holder.fencingToken !== holder.fencingToken;
      // One that was never told of a wish need not hear that there is none.
      if (hz === 0 && (told === undefined || isNew || told.hz === 0)) this.#sent.delete(serverId);
      else if (isAgain || isNew || told.hz !== hz) this.#send(serverId, { holder, hz });
    }
  }

  #send(serverId: string, told: SentDemand): void {
    const { link, logger } = this.#deps;
    this.#sent.set(serverId, told);
    const letter: NodeMessage = [NODE_MESSAGE_VERSION, 'want', link.nodeId, serverId, told.hz];
    // It is told again soon.
    link.publish(link.keys.nodeChannel(told.holder.nodeId), letter).catch((error: unknown) => {
      logger.debug({ serverId, error: errorMessage(error) }, 'a wish was not told');
    });
  }
}
