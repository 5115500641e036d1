import type { RedisConnection } from '../redis/redis-connection.js';
import { RedisScript } from '../redis/redis-script.js';
import type { ServerHealth } from '../../model/index.js';
import { parseServerHealth } from '../wire-schemas.js';

/** Who watches a server. */
export interface LeaseHolder {
  readonly nodeId: string;
  /** Grows from holder to holder: what one with a lower one says is of no account any more. */
  readonly fencingToken: number;
}

/** What is known of a server that is not watched here. */
export interface LeaseInfo {
  /** `null`: nobody watches it. */
  readonly holder: LeaseHolder | null;
  readonly health: ServerHealth | null;
}

/** For this many lease times from its last renewal stays what a holder leaves behind. */
const KEPT_LEASES = 12;

/** Redis' time, in ms, so that no two nodes' clocks are compared. */
const NOW = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)`;

/** As long as Redis remembers, a term is one more than the last; after that its time makes it greater all the same. */
const TAKE = new RedisScript(`${NOW}
local lease = redis.call('GET', KEYS[1])
if lease then return lease end
local term = string.format('%.0f', math.max(tonumber(redis.call('GET', KEYS[2]) or 0) + 1, now))
lease = ARGV[1] .. ' ' .. term
redis.call('SET', KEYS[1], lease, 'PX', ARGV[2])
redis.call('SET', KEYS[2], term, 'PX', ARGV[3])
return lease`);

/** A lease that has lapsed, or that an emptied Redis has forgotten, is renewed as long as nobody has had it since. */
const RENEW = new RedisScript(`
local lease = redis.call('GET', KEYS[1])
if lease and lease ~= ARGV[1] then return lease end
if tonumber(redis.call('GET', KEYS[2]) or 0) > tonumber(ARGV[2]) then return '' end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[3])
redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[4])
redis.call('PEXPIRE', KEYS[3], ARGV[4])
if ARGV[5] ~= '' then redis.call('SET', KEYS[4], ARGV[5], 'PX', ARGV[3]) end
return ARGV[1]`);

const RELEASE = new RedisScript(`
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1], KEYS[2]) end
return 1`);

/** Nodes with their times to lapse; those that are past them are gone. */
const JOIN = new RedisScript(`${NOW}
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return redis.call('ZRANGE', KEYS[1], 0, -1)`);

/** What Redis holds of leases, and how it is changed. All of it throws while Redis is away. */
export class LeaseStore {
  readonly #link: RedisConnection;
  readonly #leaseMs: number;
  readonly #keptMs: number;

  constructor(link: RedisConnection, leaseMs: number) {
    this.#link = link;
    this.#leaseMs = leaseMs;
    this.#keptMs = leaseMs * KEPT_LEASES;
  }

  /** Takes the lease of a server if it is free. @returns whose it is now */
  async acquire(serverId: string): Promise<LeaseHolder> {
    const { keys: names, nodeId } = this.#link;
    const keys = [names.key(serverId, 'lease'), names.key(serverId, 'term')];
    const lease = holderOf(await TAKE.run(this.#link.commands, keys, [nodeId, this.#leaseMs, this.#keptMs]));
    if (lease === null) throw new Error(`Redis holds a lease of "${serverId}" that is none`);
    return lease;
  }

  /** @returns whose the lease is: this node's, with the same term, if it was renewed; `null`: nobody's any more */
  async renew(serverId: string, term: number, health: ServerHealth | null): Promise<LeaseHolder | null> {
    const { keys: names, nodeId } = this.#link;
    const keys = (['lease', 'term', 'picture', 'health'] as const).map((kind) => names.key(serverId, kind));
    const values = [`${nodeId} ${term}`, term, this.#leaseMs, this.#keptMs];
    return holderOf(
      await RENEW.run(this.#link.commands, keys, [...values, health === null ? '' : JSON.stringify(health)]),
    );
  }

  /** Another node may take it at once. */
  async release(serverId: string, term: number): Promise<void> {
    const { keys: names, nodeId } = this.#link;
    const keys = [names.key(serverId, 'lease'), names.key(serverId, 'health')];
    await RELEASE.run(this.#link.commands, keys, [`${nodeId} ${term}`]);
  }

  async read(serverId: string): Promise<LeaseInfo> {
    const { keys, commands } = this.#link;
    const [lease, health] = await Promise.all([
      commands.get(keys.key(serverId, 'lease')),
      commands.get(keys.key(serverId, 'health')),
    ]);
    return { holder: holderOf(lease), health: parseServerHealth(health) };
  }

  /** Whether it is known that a server was ever watched: in a Redis that was emptied it is not. */
  async hasRecord(serverId: string): Promise<boolean> {
    return (await this.#link.commands.exists(this.#link.keys.key(serverId, 'term'))) > 0;
  }

  /** This node lives for another lease time. @returns the ids of all that do */
  async announceNode(): Promise<readonly string[]> {
    const { keys, nodeId } = this.#link;
    const nodes = await JOIN.run(this.#link.commands, [keys.shared('nodes')], [nodeId, this.#leaseMs]);
    return Array.isArray(nodes) ? nodes.map(String) : [];
  }

  async removeNode(): Promise<void> {
    await this.#link.commands.zrem(this.#link.keys.shared('nodes'), this.#link.nodeId);
  }
}

function holderOf(lease: unknown): LeaseHolder | null {
  const [, nodeId, term] = (typeof lease === 'string' ? /^(\S+) (\d{1,16})$/.exec(lease) : null) ?? [];
  return nodeId === undefined ? null : { nodeId, fencingToken: Number(term) };
}
