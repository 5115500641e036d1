import type { Cluster, Redis } from 'ioredis';
import { openRedisLink, RedisBus, type RedisLink, type Written } from '../../src/bus/index.js';
import { parseRedisUrl } from '../../src/shared/index.js';
import type { Store } from '../../src/state/index.js';
import { silentLogger } from '../../src/telemetry/index.js';
import { ManualClock } from '../support/manual-clock.js';
import { type BusNode, newStore } from './contract.js';

/** Long enough that no picture lapses while a test runs on a slow machine: Redis counts in real time. */
export const LEASE_MS = 30_000;

/**
 * What happens to a message that this node is about to publish: it gets lost, comes twice, comes after the next one, or
 * cannot be published.
 */
export type Fate = 'sent' | 'lost' | 'doubled' | 'late' | 'failed';

/** Where Redis is, and a client to look at it with. */
export interface RedisPlace {
  readonly url: string;
  readonly look: Redis | Cluster;
}

/** One node on Redis, less what makes it a program: its leases are said by the test. */
export class RedisNode implements BusNode, AsyncDisposable {
  readonly clock = new ManualClock();
  /** Of the link alone: when looks at Redis follow each other without a pause, its answers are not late. */
  readonly linkClock = new ManualClock();
  readonly store: Store;
  readonly link: RedisLink;
  readonly bus: RedisBus;
  readonly fenced: string[] = [];
  readonly written: Written[] = [];
  readonly #terms = new Map<string, number>();
  readonly #redis: RedisPlace;
  readonly #late: (() => Promise<void>)[] = [];
  fate: () => Fate = () => 'sent';
  published = 0;

  constructor(redis: RedisPlace, nodeId: string, { prefix = 't', maxTombstones = 100 } = {}) {
    this.#redis = redis;
    this.store = newStore(maxTombstones);
    const address = parseRedisUrl(redis.url);
    if (address === null) throw new Error('no URL of a Redis');
    const link = openRedisLink({ address, prefix, nodeId, clock: this.linkClock, logger: silentLogger });
    const publish = link.publish.bind(link);
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
      terms: { termOf: (id) => this.#terms.get(id) ?? null },
      leaseMs: LEASE_MS,
      clock: this.clock,
      logger: silentLogger,
      onFenced: (id) => this.fenced.push(id),
    });
    this.bus.subscribe((change) => this.store.commit(change));
    this.bus.onWritten((written) => this.written.push(written));
  }

  static async start(redis: RedisPlace, nodeId: string, options?: ConstructorParameters<typeof RedisNode>[2]) {
    const node = new RedisNode(redis, nodeId, options);
    await node.link.firstUp;
    return node;
  }

  /** As its leases would say; in Redis too, unless `isTold` is false. */
  async hold(serverId: string, term: number, isTold = true): Promise<void> {
    const { names, nodeId } = this.link;
    this.#terms.set(serverId, term);
    if (!isTold) return;
    await this.#redis.look.set(names.key(serverId, 'term'), term);
    await this.#redis.look.set(names.key(serverId, 'lease'), `${nodeId} ${term}`);
  }

  lose(serverId: string): void {
    this.#terms.delete(serverId);
  }

  /** Lets a link that is down ask again: a command may time out on a slow machine though Redis is there. */
  revive(): void {
    if (!this.link.isUp) this.linkClock.advance(250);
  }

  /** The time of one look at Redis passes. */
  look(): void {
    this.revive();
    this.clock.advance(LEASE_MS / 3);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.bus[Symbol.asyncDispose]();
    await this.link[Symbol.asyncDispose]();
  }
}
