import {
  LeaseManager,
  openRedisConnection,
  type OwnershipCandidate,
  type OwnershipClaim,
  type RedisConnection,
} from '../../src/cluster/index.js';
import { Demand, Store } from '../../src/state/index.js';
import type { ServerHealth, ToolResult } from '../../src/model/index.js';
import { type Clock, Emitter, type Logger, parseRedisUrl, systemClock } from '../../src/shared/index.js';
import { silentLogger } from '../../src/telemetry/index.js';
import { ChangeNotifier } from '../support/wait.js';

/** Lease duration in milliseconds. No lease expires by itself on a slow machine, because Redis counts in real time. */
export const LEASE_MS = 60_000;

/** Ownership candidate that records its events instead of polling a server. */
export class RecordedCandidate implements OwnershipCandidate {
  readonly isTransferable: boolean;
  readonly serverId: string;
  isOwned = false;
  /** Fencing tokens with which the server was acquired, in order. */
  readonly tokens: number[] = [];
  losses = 0;
  measured: ServerHealth | null = null;
  onPoll: (reconnects: boolean) => Promise<boolean> = () => Promise.resolve(true);
  onTool: OwnershipCandidate['callTool'] = (tool, args) =>
    Promise.resolve({ isError: false, content: { tool, args }, durationMs: 1 });
  readonly #node: TestNode;

  constructor(node: TestNode, serverId: string, isTransferable: boolean) {
    this.#node = node;
    this.serverId = serverId;
    this.isTransferable = isTransferable;
  }

  onAcquired(): void {
    this.isOwned = true;
    this.tokens.push(this.#node.leases.tokenOf(this.serverId) ?? NaN);
    this.#node.changes.emit({ node: this.#node, serverId: this.serverId });
  }

  onReleased(): Promise<void> {
    this.isOwned = false;
    this.losses += 1;
    this.#node.changes.emit({ node: this.#node, serverId: this.serverId });
    return Promise.resolve();
  }

  health(): ServerHealth | null {
    return this.measured;
  }

  poll(reconnects: boolean): Promise<boolean> {
    return this.onPoll(reconnects);
  }

  callTool(...args: Parameters<OwnershipCandidate['callTool']>): Promise<ToolResult> {
    return this.onTool(...args);
  }
}

export interface Change {
  readonly node: TestNode;
  readonly serverId: string;
}

export interface NodeOptions {
  readonly leaseMs?: number;
  /** Clock of the leases. The connection uses the system clock. */
  readonly clock?: Clock;
  readonly prefix?: string;
  /** Keys for signatures. @default one key that all nodes share */
  readonly busKeys?: readonly string[];
  readonly logger?: Logger;
}

/** Key that nodes share unless a test gives them others. */
export const BUS_KEY = 'a key for the messages of the tests';

/** Node in this process with its own connections to a real Redis. */
export class TestNode implements AsyncDisposable {
  readonly id: string;
  readonly link: RedisConnection;
  readonly leases: LeaseManager;
  readonly demand = new Demand();
  readonly store = new Store({ epoch: 'test', maxTombstones: 100, maxEvents: 100 });
  readonly claims = new Map<string, RecordedCandidate>();
  readonly changes: Emitter<Change>;
  /** Ids of the servers whose snapshot was read before the node owned or followed them. */
  readonly synced: string[] = [];
  /** Changes of the silence of owners, in order. */
  readonly silences: (readonly [serverId: string, reason: string | null])[] = [];
  /** Called after each change of the silence of an owner. */
  onSilence: () => void = () => undefined;
  readonly #claimed = new Map<string, OwnershipClaim>();
  #isGone = false;

  constructor(id: string, redisUrl: string, changes: Emitter<Change>, options: NodeOptions = {}) {
    const { leaseMs = LEASE_MS, clock = systemClock, prefix = 't', busKeys = [BUS_KEY] } = options;
    const { logger = silentLogger } = options;
    this.id = id;
    this.changes = changes;
    const address = parseRedisUrl(redisUrl);
    if (address === null) throw new Error('not a Redis URL');
    this.link = openRedisConnection({ address, prefix, busKeys, nodeId: id, clock: systemClock, logger });
    this.leases = new LeaseManager({
      link: this.link,
      leaseMs,
      snapshotSync: {
        pull: (serverId) => {
          this.synced.push(serverId);
          return Promise.resolve();
        },
        flush: () => Promise.resolve(),
        setOwnerSilence: (serverId, reason) => {
          this.silences.push([serverId, reason]);
          this.onSilence();
        },
      },
      store: this.store,
      demand: this.demand,
      clock,
      logger,
    });
  }

  claim(serverId: string, isTransferable = true): RecordedCandidate {
    const claim = new RecordedCandidate(this, serverId, isTransferable);
    this.claims.set(serverId, claim);
    this.#claimed.set(serverId, this.leases.claim(serverId, claim));
    return claim;
  }

  settled(serverId: string): Promise<void> {
    return this.#claimed.get(serverId)?.decided ?? Promise.reject(new Error(`${serverId} was not claimed`));
  }

  async release(serverId: string): Promise<void> {
    const [claim, claimed] = [this.claims.get(serverId), this.#claimed.get(serverId)];
    this.#claimed.delete(serverId);
    this.claims.delete(serverId);
    if (claim?.isOwned === true) await claim.onReleased();
    await claimed?.[Symbol.asyncDispose]();
  }

  get owned(): string[] {
    if (this.#isGone) return [];
    return [...this.claims.values()].filter(({ isOwned }) => isOwned).map(({ serverId }) => serverId);
  }

  /** Disconnects without a release, like a power cut. */
  async vanish(): Promise<void> {
    this.#isGone = true;
    await this.link[Symbol.asyncDispose]();
    await this.leases[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isGone) return;
    await Promise.all([...this.claims.keys()].map((serverId) => this.release(serverId)));
    this.#isGone = true;
    await this.leases[Symbol.asyncDispose]();
    await this.link[Symbol.asyncDispose]();
  }
}

/** Nodes on one Redis and the ownership changes of their servers. */
export class Nodes implements AsyncDisposable {
  readonly changes = new Emitter<Change>();
  readonly all: TestNode[] = [];
  readonly #redisUrl: string;

  constructor(redisUrl: string) {
    this.#redisUrl = redisUrl;
  }

  /** Starts a node that is connected and claims these servers. */
  async join(id: string, serverIds: readonly string[], options: NodeOptions = {}): Promise<TestNode> {
    const node = new TestNode(id, this.#redisUrl, this.changes, options);
    this.all.push(node);
    for (const serverId of serverIds) node.claim(serverId);
    await node.link.connected;
    return node;
  }

  /** Returns the ids of all nodes that regard themselves as owner of a server. */
  ownersOf(serverId: string): string[] {
    return this.all.filter(({ owned }) => owned.includes(serverId)).map(({ id }) => id);
  }

  /** Resolves once `isReached` returns true, checked each time that a server is gained or lost. */
  async until(isReached: () => boolean): Promise<void> {
    const notifier = new ChangeNotifier();
    using _listening = this.changes.add(() => notifier.notify());
    await notifier.until(isReached, { state: () => this.state() });
  }

  /** Returns the servers that each node owns. */
  state(): unknown {
    return this.all.map(({ id, owned, link }) => ({ id, owned, failureReason: link.failureReason }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const node of this.all) await node[Symbol.asyncDispose]();
  }
}
