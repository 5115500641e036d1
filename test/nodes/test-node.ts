import { openRedisLink, type RedisLink } from '../../src/bus/index.js';
import { Demand } from '../../src/collector/index.js';
import type { ServerHealth, ToolResult } from '../../src/domain/index.js';
import { type Claim, type Claimed, Leases } from '../../src/nodes/index.js';
import { type Clock, Listeners, parseRedisUrl, systemClock } from '../../src/shared/index.js';
import { Store } from '../../src/state/index.js';
import { silentLogger } from '../../src/telemetry/index.js';
import { ChangeNotifier } from '../support/wait.js';

/** So long that no lease lapses by itself on a slow machine: Redis counts in real time. */
export const LEASE_MS = 60_000;

/** What a node does with one server, taken down instead of done. */
export class TakenDown implements Claim {
  readonly movable: boolean;
  readonly serverId: string;
  isWatched = false;
  /** Terms under which it was gained, in order. */
  readonly terms: number[] = [];
  losses = 0;
  measured: ServerHealth | null = null;
  onPoll: (reconnects: boolean) => Promise<boolean> = () => Promise.resolve(true);
  onTool: Claim['callTool'] = (tool, args) =>
    Promise.resolve({ isError: false, content: { tool, args }, durationMs: 1 });
  readonly #node: TestNode;

  constructor(node: TestNode, serverId: string, movable: boolean) {
    this.#node = node;
    this.serverId = serverId;
    this.movable = movable;
  }

  gained(): void {
    this.isWatched = true;
    this.terms.push(this.#node.leases.termOf(this.serverId) ?? NaN);
    this.#node.changes.emit({ node: this.#node, serverId: this.serverId });
  }

  lost(): Promise<void> {
    this.isWatched = false;
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

  callTool(tool: string, args: Readonly<Record<string, unknown>>, signal: AbortSignal): Promise<ToolResult> {
    return this.onTool(tool, args, signal);
  }
}

export interface Change {
  readonly node: TestNode;
  readonly serverId: string;
}

export interface NodeOptions {
  readonly leaseMs?: number;
  /** Of the leases; the link's is the real one. */
  readonly clock?: Clock;
  readonly prefix?: string;
}

/** One of several nodes in this process, each with connections of its own to a real Redis. */
export class TestNode implements AsyncDisposable {
  readonly id: string;
  readonly link: RedisLink;
  readonly leases: Leases;
  readonly demand = new Demand();
  readonly store = new Store({ epoch: 'test', maxTombstones: 100, maxEvents: 100 });
  readonly claims = new Map<string, TakenDown>();
  readonly changes: Listeners<Change>;
  /** Servers whose picture was fetched before they were watched, or followed. */
  readonly synced: string[] = [];
  readonly #claimed = new Map<string, Claimed>();
  #isGone = false;

  constructor(id: string, redisUrl: string, changes: Listeners<Change>, options: NodeOptions = {}) {
    const { leaseMs = LEASE_MS, clock = systemClock, prefix = 't' } = options;
    this.id = id;
    this.changes = changes;
    const address = parseRedisUrl(redisUrl);
    if (address === null) throw new Error('no URL of a Redis');
    this.link = openRedisLink({ address, prefix, nodeId: id, clock: systemClock, logger: silentLogger });
    this.leases = new Leases({
      link: this.link,
      leaseMs,
      picture: {
        synced: (serverId) => {
          this.synced.push(serverId);
          return Promise.resolve();
        },
        written: () => Promise.resolve(),
      },
      store: this.store,
      demand: this.demand,
      clock,
      logger: silentLogger,
    });
  }

  claim(serverId: string, movable = true): TakenDown {
    const claim = new TakenDown(this, serverId, movable);
    this.claims.set(serverId, claim);
    this.#claimed.set(serverId, this.leases.claim(serverId, claim));
    return claim;
  }

  settled(serverId: string): Promise<void> {
    return this.#claimed.get(serverId)?.settled ?? Promise.reject(new Error(`${serverId} was not claimed`));
  }

  async giveUp(serverId: string): Promise<void> {
    const [claim, claimed] = [this.claims.get(serverId), this.#claimed.get(serverId)];
    this.#claimed.delete(serverId);
    this.claims.delete(serverId);
    if (claim?.isWatched === true) await claim.lost();
    await claimed?.[Symbol.asyncDispose]();
  }

  get watched(): string[] {
    if (this.#isGone) return [];
    return [...this.claims.values()].filter(({ isWatched }) => isWatched).map(({ serverId }) => serverId);
  }

  /** As by a power cut: nothing is released. */
  async vanish(): Promise<void> {
    this.#isGone = true;
    await this.link[Symbol.asyncDispose]();
    await this.leases[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isGone) return;
    await Promise.all([...this.claims.keys()].map((serverId) => this.giveUp(serverId)));
    this.#isGone = true;
    await this.leases[Symbol.asyncDispose]();
    await this.link[Symbol.asyncDispose]();
  }
}

/** Nodes on one Redis, and what happens to their servers. */
export class Nodes implements AsyncDisposable {
  readonly changes = new Listeners<Change>();
  readonly all: TestNode[] = [];
  readonly #redisUrl: string;

  constructor(redisUrl: string) {
    this.#redisUrl = redisUrl;
  }

  /** One more that is up, and would watch these. */
  async join(id: string, serverIds: readonly string[], options: NodeOptions = {}): Promise<TestNode> {
    const node = new TestNode(id, this.#redisUrl, this.changes, options);
    this.all.push(node);
    for (const serverId of serverIds) node.claim(serverId);
    await node.link.firstUp;
    return node;
  }

  /** Nodes that watch a server, or believe so. */
  watching(serverId: string): string[] {
    return this.all.filter(({ watched }) => watched.includes(serverId)).map(({ id }) => id);
  }

  /** Resolves once `isReached` returns true, checked each time that a server is gained or lost. */
  async until(isReached: () => boolean): Promise<void> {
    const notifier = new ChangeNotifier();
    using _listening = this.changes.add(() => notifier.notify());
    await notifier.until(isReached, { state: () => this.state() });
  }

  /** Servers that each node watches. */
  state(): unknown {
    return this.all.map(({ id, watched, link }) => ({ id, watched, trouble: link.trouble }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const node of this.all) await node[Symbol.asyncDispose]();
  }
}
