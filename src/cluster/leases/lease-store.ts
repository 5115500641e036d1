import type { RedisConnection } from '../redis/redis-connection.js';
import { RedisScript } from '../redis/redis-script.js';
import type { ServerHealth } from '../../model/index.js';
import type { LeaseHolder, LeaseInfo } from '../ownership.js';
import { parseServerHealth } from '../wire-schemas.js';

/** Lifetime of fencing tokens and snapshots after the last renewal, in lease durations. */
const RECORD_TTL_LEASES = 12;

/** Script lines that read the Redis time in milliseconds, so that clocks of nodes are never compared. */
const NOW = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)`;

/** Acquires a free lease. The fencing token is the last one plus 1, or the Redis time if Redis no longer knows the last one. */
const ACQUIRE = new RedisScript(`${NOW}
local lease = redis.call('GET', KEYS[1])
if lease then return lease end
local term = string.format('%.0f', math.max(tonumber(redis.call('GET', KEYS[2]) or 0) + 1, now))
lease = ARGV[1] .. ' ' .. term
redis.call('SET', KEYS[1], lease, 'PX', ARGV[2])
redis.call('SET', KEYS[2], term, 'PX', ARGV[3])
return lease`);

/** Renews a lease. Also renews an expired or lost lease if no other node has held it since. */
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

/** Announces a node and removes expired ones. */
const ANNOUNCE = new RedisScript(`${NOW}
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return redis.call('ZRANGE', KEYS[1], 0, -1)`);

/** Lease operations in Redis. All methods reject while Redis is unavailable. */
export class LeaseStore {
  readonly #redis: RedisConnection;
  readonly #leaseMs: number;
  readonly #recordTtlMs: number;

  constructor(redis: RedisConnection, leaseMs: number) {
    this.#redis = redis;
    this.#leaseMs = leaseMs;
    this.#recordTtlMs = leaseMs * RECORD_TTL_LEASES;
  }

  /** Acquires the lease of a server if it is free. Returns the current holder. */
  async acquire(serverId: string): Promise<LeaseHolder> {
    const { keys: names, nodeId } = this.#redis;
    const keys = [names.key(serverId, 'lease'), names.key(serverId, 'fence')];
    const lease = parseHolder(
      await ACQUIRE.run(this.#redis.commands, keys, [nodeId, this.#leaseMs, this.#recordTtlMs]),
    );
    if (lease === null) throw new Error(`invalid lease of "${serverId}" in Redis`);
    return lease;
  }

  /** Renews the lease and returns its holder, which is another node if the lease was lost. Null if there is none. */
  async renew(serverId: string, term: number, health: ServerHealth | null): Promise<LeaseHolder | null> {
    const { keys: names, nodeId } = this.#redis;
    const keys = (['lease', 'fence', 'snapshot', 'health'] as const).map((kind) => names.key(serverId, kind));
    const values = [`${nodeId} ${term}`, term, this.#leaseMs, this.#recordTtlMs];
    return parseHolder(
      await RENEW.run(this.#redis.commands, keys, [...values, health === null ? '' : JSON.stringify(health)]),
    );
  }

  /** Releases the lease, so that another node can acquire it immediately. */
  async release(serverId: string, term: number): Promise<void> {
    const { keys: names, nodeId } = this.#redis;
    const keys = [names.key(serverId, 'lease'), names.key(serverId, 'health')];
    await RELEASE.run(this.#redis.commands, keys, [`${nodeId} ${term}`]);
  }

  async read(serverId: string): Promise<LeaseInfo> {
    const { keys, commands } = this.#redis;
    const [lease, health] = await Promise.all([
      commands.get(keys.key(serverId, 'lease')),
      commands.get(keys.key(serverId, 'health')),
    ]);
    return { holder: parseHolder(lease), health: parseServerHealth(health) };
  }

  /** Returns whether Redis has a record of any owner of the server. False after Redis was flushed. */
  async hasRecord(serverId: string): Promise<boolean> {
    return (await this.#redis.commands.exists(this.#redis.keys.key(serverId, 'fence'))) > 0;
  }

  /** Announces this node for another lease duration. Returns the ids of all live nodes. */
  async announceNode(): Promise<readonly string[]> {
    const { keys, nodeId } = this.#redis;
    const nodes = await ANNOUNCE.run(this.#redis.commands, [keys.shared('nodes')], [nodeId, this.#leaseMs]);
    return Array.isArray(nodes) ? nodes.map(String) : [];
  }

  /** Removes this node from the list of live nodes. */
  async removeNode(): Promise<void> {
    await this.#redis.commands.zrem(this.#redis.keys.shared('nodes'), this.#redis.nodeId);
  }
}

function parseHolder(lease: unknown): LeaseHolder | null {
  const [, nodeId, term] = (typeof lease === 'string' ? /^(\S+) (\d{1,16})$/.exec(lease) : null) ?? [];
  return nodeId === undefined ? null : { nodeId, fencingToken: Number(term) };
}
