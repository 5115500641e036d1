import type { Redis } from 'ioredis';
import { ManualClock, settled } from '../../support/manual-clock.js';
import { LEASE_MS, Nodes, type TestNode } from '../test-node.js';

const MAX_ROUNDS = 60;

export type Step =
  | { readonly kind: 'join' }
  | { readonly kind: 'leave' | 'vanish'; readonly which: number }
  | { readonly kind: 'rounds'; readonly count: number };

/** Nodes that join and leave one Redis. Records violations of exclusive ownership. */
export class Churn implements AsyncDisposable {
  readonly problems: string[] = [];
  readonly #nodes: Nodes;
  readonly #clock = new ManualClock();
  readonly #redis: Redis;
  readonly #serverIds: readonly string[];
  readonly #lastToken = new Map<string, number>();
  #live: TestNode[] = [];
  #joined = 0;

  constructor(redis: Redis, redisUrl: string, serverIds: readonly string[]) {
    this.#redis = redis;
    this.#serverIds = serverIds;
    this.#nodes = new Nodes(redisUrl);
    this.#nodes.changes.add(({ node, serverId }) => this.#check(node, serverId));
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

  /** Advances the clock until every server has one owner and no node has more than its share. */
  async settle(): Promise<void> {
    for (let round = 0; round < MAX_ROUNDS; round += 1) {
      if (this.#live.length === 0 || this.#isSpread()) return;
      await this.#round();
    }
    const spread = this.#live.map(({ id, owned }) => `${id}: ${owned.join()}`);
    this.problems.push(`not settled: ${spread.join('; ')}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#nodes[Symbol.asyncDispose]();
  }

  #check(node: TestNode, serverId: string): void {
    const owners = this.#nodes.ownersOf(serverId);
    if (owners.length > 1) this.problems.push(`${serverId} is owned by ${owners.join(' and ')}`);
    const token = node.leases.tokenOf(serverId);
    // A release emits a change, too.
    if (token === null || node.claims.get(serverId)?.isOwned !== true) return;
    if (token <= (this.#lastToken.get(serverId) ?? 0))
      this.problems.push(`${serverId}: token ${token} is not greater than the previous one`);
    this.#lastToken.set(serverId, token);
  }

  #isSpread(): boolean {
    const share = Math.ceil(this.#serverIds.length / this.#live.length);
    return (
      this.#serverIds.every((id) => this.#nodes.ownersOf(id).length === 1) &&
      this.#live.every(({ owned }) => owned.length <= share)
    );
  }

  /** Disconnects a node and deletes its leases, which would expire after a minute. */
  async #vanish(node: TestNode): Promise<void> {
    const { keys } = node.link;
    await node.vanish();
    for (const id of this.#serverIds) {
      const lease = await this.#redis.get(keys.key(id, 'lease'));
      if (lease?.includes(` ${node.id} `) === true) await this.#redis.del(keys.key(id, 'lease'));
    }
    await this.#redis.zrem(keys.shared('nodes'), node.id);
  }

  async #round(): Promise<void> {
    this.#clock.advance(LEASE_MS / 3);
    // Redis answers all commands, and the commands that follow from the answers.
    for (let time = 0; time < 8; time += 1) {
      await Promise.all(this.#live.map(({ link }) => link.commands.ping()));
      await settled();
    }
  }
}
