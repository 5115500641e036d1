import type { Redis } from 'ioredis';
import { ManualClock, settled } from '../support/manual-clock.js';
import { LEASE_MS, Nodes, type TestNode } from './test-node.js';

const MAX_ROUNDS = 60;

export type Step =
  | { readonly kind: 'join' }
  | { readonly kind: 'leave' | 'vanish'; readonly which: number }
  | { readonly kind: 'rounds'; readonly count: number };

/** Nodes that come and go on one Redis, and what is wrong about who watches what. */
export class Churn implements AsyncDisposable {
  readonly problems: string[] = [];
  readonly #nodes: Nodes;
  readonly #clock = new ManualClock();
  readonly #redis: Redis;
  readonly #serverIds: readonly string[];
  readonly #lastTerm = new Map<string, number>();
  #live: TestNode[] = [];
  #joined = 0;

  constructor(redis: Redis, redisUrl: string, serverIds: readonly string[]) {
    this.#redis = redis;
    this.#serverIds = serverIds;
    this.#nodes = new Nodes(redisUrl);
    this.#nodes.changes.add(({ node, serverId }) => this.#look(node, serverId));
  }

  get size(): number {
    return this.#live.length;
  }

  async take(step: Step): Promise<void> {
    if (step.kind === 'join') {
      this.#joined += 1;
      const options = { clock: this.#clock, leaseMs: LEASE_MS };
      this.#live.push(await this.#nodes.join(`node-${this.#joined}`, this.#serverIds, options));
    } else if (step.kind === 'rounds') {
      for (let round = 0; round < step.count; round += 1) await this.#round();
    } else {
      const [node] = this.#live.splice(step.which % Math.max(1, this.#live.length), 1);
      if (node === undefined) return;
      if (step.kind === 'leave') await node[Symbol.asyncDispose]();
      else await this.#vanish(node);
      this.#nodes.all.splice(this.#nodes.all.indexOf(node), 1);
    }
  }

  /** Goes on until every server is watched by one node, and none has more than its share. */
  async rest(): Promise<void> {
    for (let round = 0; round < MAX_ROUNDS; round += 1) {
      if (this.#live.length === 0 || this.#isSpread()) return;
      await this.#round();
    }
    const spread = this.#live.map(({ id, watched }) => `${id}: ${watched.join()}`);
    this.problems.push(`not at rest: ${spread.join('; ')}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#nodes[Symbol.asyncDispose]();
  }

  #look(node: TestNode, serverId: string): void {
    const watching = this.#nodes.watching(serverId);
    if (watching.length > 1) this.problems.push(`${serverId} is watched by ${watching.join(' and ')}`);
    const term = node.leases.termOf(serverId);
    // As it is lost it is told of, too.
    if (term === null || node.claims.get(serverId)?.isWatched !== true) return;
    if (term <= (this.#lastTerm.get(serverId) ?? 0)) this.problems.push(`${serverId}: term ${term} was there before`);
    this.#lastTerm.set(serverId, term);
  }

  #isSpread(): boolean {
    const share = Math.ceil(this.#serverIds.length / this.#live.length);
    return (
      this.#serverIds.every((id) => this.#nodes.watching(id).length === 1) &&
      this.#live.every(({ watched }) => watched.length <= share)
    );
  }

  /** Its leases lapse at once instead of in a minute. */
  async #vanish(node: TestNode): Promise<void> {
    const { names } = node.link;
    await node.vanish();
    for (const id of this.#serverIds) {
      const lease = await this.#redis.get(names.key(id, 'lease'));
      if (lease?.startsWith(`${node.id} `) === true) await this.#redis.del(names.key(id, 'lease'));
    }
    await this.#redis.zrem(names.shared('nodes'), node.id);
  }

  async #round(): Promise<void> {
    this.#clock.advance(LEASE_MS / 3);
    // What was asked of Redis is answered, and what was asked because of that.
    for (let time = 0; time < 8; time += 1) {
      await Promise.all(this.#live.map(({ link }) => link.commands.ping()));
      await settled();
    }
  }
}
