import type { Cluster, Redis } from 'ioredis';
import {
  openRedisConnection,
  RedisBus,
  type RedisConnection,
  type WriteConfirmation,
} from '../../../src/cluster/index.js';
import { type Logger, parseRedisUrl } from '../../../src/shared/index.js';
import type { Store } from '../../../src/state/index.js';
import { silentLogger } from '../../../src/telemetry/index.js';
import { ManualClock } from '../../support/manual-clock.js';
import { BUS_KEY } from '../test-node.js';
import { type BusNode, newStore } from './contract.js';

/** Lease duration in milliseconds. No snapshot expires during a test, because Redis counts in real time. */
export const LEASE_MS = 30_000;

/**
 * Outcome of a message that this node publishes: `lost`, delivered twice (`doubled`), delivered after the next message (`late`),
 * or not accepted by Redis (`failed`).
 */
export type Fate = 'sent' | 'lost' | 'doubled' | 'late' | 'failed';

/** URL of a Redis and a client that inspects it. */
export interface RedisPlace {
  readonly url: string;
  readonly look: Redis | Cluster;
}

export interface RedisNodeOptions {
  readonly prefix?: string;
  readonly maxTombstones?: number;
  /** Keys for signatures. @default one key that all nodes share */
  readonly busKeys?: readonly string[];
  readonly logger?: Logger;
}

/** Bus and store of one node on Redis. The test decides which servers the node owns. */
export class RedisNode implements BusNode, AsyncDisposable {
  readonly clock = new ManualClock();
  /** Clock of the connection. It is separate so that advancing `clock` does not make answers late. */
  readonly linkClock = new ManualClock();
  readonly store: Store;
  readonly link: RedisConnection;
  readonly bus: RedisBus;
  /** Publishes a message regardless of the fate of others. */
  readonly publishUnharmed: RedisConnection['publish'];
  readonly fenced: string[] = [];
  readonly written: WriteConfirmation[] = [];
  readonly #tokens = new Map<string, number>();
  readonly #redis: RedisPlace;
  readonly #late: (() => Promise<void>)[] = [];
  fate: () => Fate = () => 'sent';
  published = 0;

  constructor(redis: RedisPlace, nodeId: string, options: RedisNodeOptions = {}) {
    const { prefix = 't', maxTombstones = 100, busKeys = [BUS_KEY], logger = silentLogger } = options;
    this.#redis = redis;
    this.store = newStore(maxTombstones);
    const address = parseRedisUrl(redis.url);
    if (address === null) throw new Error('not a Redis URL');
    const link = openRedisConnection({ address, prefix, busKeys, nodeId, clock: this.linkClock, logger });
    const publish = link.publish.bind(link);
    this.publishUnharmed = publish;
    link.publish = async (channel, message) => {
      const fate = this.fate();
      this.published += 1;
      if (fate === 'failed') throw new Error('not published');
      if (fate === 'sent' || fate === 'doubled') await publish(channel, message);
      if (fate === 'doubled') await publish(channel, message);
      const late = this.#late.splice(0);
      if (fate === 'late') this.#late.push(() => publish(channel, message));
      for (const send of late) await send();
    };
    this.link = link;
    this.bus = new RedisBus({
      link,
      store: this.store,
      fencingTokens: { tokenOf: (id) => this.#tokens.get(id) ?? null },
      leaseMs: LEASE_MS,
      clock: this.clock,
      logger,
      onFenced: (id) => this.fenced.push(id),
    });
    this.bus.subscribe((change) => this.store.commit(change));
    this.bus.onWrite((written) => this.written.push(written));
  }

  static async start(redis: RedisPlace, nodeId: string, options?: RedisNodeOptions): Promise<RedisNode> {
    const node = new RedisNode(redis, nodeId, options);
    await node.link.connected;
    return node;
  }

  /** Makes this node the owner of a server, in Redis only if `isInRedis` is true. */
  async hold(serverId: string, token: number, isInRedis = true): Promise<void> {
    this.#tokens.set(serverId, token);
    if (isInRedis) await this.#redis.look.set(this.link.keys.key(serverId, 'fence'), token);
  }

  lose(serverId: string): void {
    this.#tokens.delete(serverId);
  }

  /** Makes a link that is down retry, because a command may time out on a slow machine. */
  revive(): void {
    if (!this.link.isUp) this.linkClock.advance(250);
  }

  /** Advances the clock by one verification interval. */
  verify(): void {
    this.revive();
    this.clock.advance(LEASE_MS / 3);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.bus[Symbol.asyncDispose]();
    await this.link[Symbol.asyncDispose]();
  }
}
