import type { RedisConnection } from '../redis/redis-connection.js';
import { RECORD_TTL_LEASES } from '../redis/redis-keys.js';
import { RedisScript } from '../redis/redis-script.js';
import type { RefusalReason } from '../redis/refusals.js';
import { readStampedValue, type StampedValue, stampedValue } from '../redis/stamped-value.js';
import type { ServerHealth } from '../../model/index.js';
import type { LeaseHolder } from '../ownership.js';
import { parseServerHealth } from '../wire-schemas.js';

/** Script lines that read the Redis time in milliseconds, so that clocks of nodes are never compared. */
const NOW = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)`;

/**
 * Acquires a free lease. Keys: lease, fencing token. Arguments: fencing token, or 0 to ask for it; value of the lease; lifetimes of
 * lease and fencing token in milliseconds; value to replace. Returns the value of the lease, or the least fencing token that is
 * accepted: the last one plus 1, and at least the Redis time, because Redis may have lost the last one.
 */
const ACQUIRE = new RedisScript(`${NOW}
local lease = redis.call('GET', KEYS[1])
if lease and lease ~= ARGV[5] then return lease end
local last = tonumber(redis.call('GET', KEYS[2]) or 0)
local token = tonumber(ARGV[1])
if token == 0 or token <= last then return string.format('%.0f', math.max(last + 1, now)) end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[4])
return ARGV[2]`);

/**
 * Renews a lease. Also renews an expired or lost lease if no other node has held it since. Keys: lease, fencing token, health.
 * Arguments: holder, which ends the value; new value; fencing token; lifetimes of lease and other keys in milliseconds;
 * health or an empty text; value to replace. Returns the value of the lease, or an empty text if there was a later holder.
 */
const RENEW = new RedisScript(`
if tonumber(redis.call('GET', KEYS[2]) or 0) > tonumber(ARGV[3]) then return redis.call('GET', KEYS[1]) or '' end
local lease = redis.call('GET', KEYS[1])
if lease and lease ~= ARGV[7] and string.sub(lease, -#ARGV[1]) ~= ARGV[1] then return lease end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[4])
redis.call('SET', KEYS[2], ARGV[3], 'PX', ARGV[5])
if ARGV[6] ~= '' then redis.call('SET', KEYS[3], ARGV[6], 'PX', ARGV[4]) end
return ARGV[2]`);

/** Releases a lease. Keys: lease, health. Argument: holder, which ends the value. */
const RELEASE = new RedisScript(`
local lease = redis.call('GET', KEYS[1])
if lease and string.sub(lease, -#ARGV[1]) == ARGV[1] then redis.call('DEL', KEYS[1], KEYS[2]) end
return 1`);

/** Announces a node and removes expired ones. */
const ANNOUNCE = new RedisScript(`${NOW}
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return redis.call('ZRANGE', KEYS[1], 0, -1)`);

/** Lease of a server as Redis shows it. */
export interface LeaseRecord {
  /** Node that holds the lease. Null if there is none, or if it is unknown. */
  readonly holder: LeaseHolder | null;
  /** Time of the last renewal in milliseconds since the epoch, by the Redis clock. Null without a known holder. */
  readonly renewedAtMs: number | null;
  /** Whether the lease can be acquired. A lease that this node cannot verify is neither free nor has a known holder. */
  readonly isFree: boolean;
}

/** Lease that no node holds. */
export const FREE_LEASE: LeaseRecord = { holder: null, renewedAtMs: null, isFree: true };
/** Number of attempts, because the least fencing token may grow in between. */
const MAX_ATTEMPTS = 5;

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

  /**
   * Acquires the lease of a server if it is free. Returns the lease afterwards.
   * @param highestToken highest known fencing token of the server, because Redis may have lost it
   */
  async acquire(serverId: string, highestToken: number): Promise<LeaseRecord> {
    const { keys: names, commands } = this.#redis;
    const keys = [names.key(serverId, 'lease'), names.key(serverId, 'fence')];
    let token = 0;
    let replaced = '';
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      const value = this.#leaseValue(serverId, token);
      const answer = String(
        await ACQUIRE.run(commands, keys, [token, value, this.#leaseMs, this.#recordTtlMs, replaced]),
      );
      if (/^\d{1,16}$/.test(answer)) {
        token = Math.max(Number(answer), highestToken + 1);
        continue;
      }
      const record = this.#parse(serverId, answer);
      // A lease that outlived its duration was written again by a stranger.
      if (!record.isFree) return record;
      replaced = answer;
    }
    throw new Error(`could not acquire the lease of "${serverId}" in ${MAX_ATTEMPTS} attempts`);
  }

  /** Renews the lease and returns it afterwards. It has another holder, or none, if it was lost. */
  async renew(serverId: string, token: number, health: ServerHealth | null): Promise<LeaseRecord> {
    const { keys: names, commands } = this.#redis;
    const keys = (['lease', 'fence', 'health'] as const).map((kind) => names.key(serverId, kind));
    const healthValue =
      health === null ? '' : stampedValue(this.#redis, names.key(serverId, 'health'), JSON.stringify(health));
    const value = this.#leaseValue(serverId, token);
    const run = async (replaced: string): Promise<string> =>
      String(
        await RENEW.run(commands, keys, [
          holderText(this.#self(token)),
          value,
          token,
          this.#leaseMs,
          this.#recordTtlMs,
          healthValue,
          replaced,
        ]),
      );
    const answer = await run('');
    const record = this.#parse(serverId, answer);
    if (answer === '' || record.holder !== null) return record;
    // No other node has held the lease, so a stranger wrote it.
    return this.#parse(serverId, await run(answer));
  }

  /** Releases the lease of a holder, so that another node can acquire it immediately. */
  async release(serverId: string, holder: LeaseHolder): Promise<void> {
    const { keys: names, commands } = this.#redis;
    const keys = [names.key(serverId, 'lease'), names.key(serverId, 'health')];
    await RELEASE.run(commands, keys, [holderText(holder)]);
  }

  /** Reads the lease of a server and the health that its owner measured. */
  async read(serverId: string): Promise<LeaseRecord & { readonly health: ServerHealth | null }> {
    const { keys, commands } = this.#redis;
    const healthKey = keys.key(serverId, 'health');
    const [lease = null, health = null] = await commands.mget(keys.key(serverId, 'lease'), healthKey);
    return { ...this.#parse(serverId, lease ?? ''), health: parseServerHealth(this.#open(healthKey, health)?.text) };
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

  /** Removes a node from the list of live nodes. A node that lives adds itself again. */
  async removeNode(nodeId: string): Promise<void> {
    await this.#redis.commands.zrem(this.#redis.keys.shared('nodes'), nodeId);
  }

  /**
   * Returns whether a node is connected to Redis. The connections of a process end with it, those of a machine or of a network may
   * stay. Always true in a Redis cluster, whose nodes know their own connections only.
   */
  async isConnected(nodeId: string): Promise<boolean> {
    const { keys, commands } = this.#redis;
    if (commands.isCluster) return true;
    const [, subscribers] = await commands.pubsub('NUMSUB', keys.nodeChannel(nodeId));
    return Number(subscribers) > 0;
  }

  #leaseValue(serverId: string, token: number): string {
    return stampedValue(this.#redis, this.#redis.keys.key(serverId, 'lease'), holderText(this.#self(token)));
  }

  #self(fencingToken: number): LeaseHolder {
    return { nodeId: this.#redis.nodeId, fencingToken };
  }

  #parse(serverId: string, value: string): LeaseRecord {
    if (value === '') return FREE_LEASE;
    const opened = this.#read(this.#redis.keys.key(serverId, 'lease'), value);
    if (opened === 'expired') return FREE_LEASE;
    const [, nodeId, token] = (typeof opened === 'string' ? null : /^ (\S+) (\d{1,16})$/.exec(opened.text)) ?? [];
    if (nodeId === undefined || typeof opened === 'string') return { holder: null, renewedAtMs: null, isFree: false };
    return { holder: { nodeId, fencingToken: Number(token) }, renewedAtMs: opened.atMs, isFree: false };
  }

  /** Returns a value, or null if there is none or if it is refused. */
  #open(key: string, value: string | null): StampedValue | null {
    const opened = value === null ? null : this.#read(key, value);
    return typeof opened === 'string' ? null : opened;
  }

  #read(key: string, value: string): StampedValue | RefusalReason {
    const opened = readStampedValue(this.#redis, key, { value, maxAgeMs: this.#leaseMs });
    if (typeof opened === 'string') this.#redis.refusals.count(opened, key);
    return opened;
  }
}

/** The space keeps a node from matching another one whose id ends equally. */
function holderText({ nodeId, fencingToken }: LeaseHolder): string {
  return ` ${nodeId} ${fencingToken}`;
}
