import { createHash } from 'node:crypto';
import type { RedisClient } from './redis-client.js';

/** Lua script that Redis runs as one step. Sends its text once, and its hash afterwards. */
export class RedisScript {
  readonly #text: string;
  readonly #sha: string;

  constructor(text: string) {
    this.#text = text;
    this.#sha = createHash('sha1').update(text).digest('hex');
  }

  async run(client: RedisClient, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    try {
      return await client.evalsha(this.#sha, keys.length, ...keys, ...args);
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error;
      return await client.eval(this.#text, keys.length, ...keys, ...args);
    }
  }
}

const NOW = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local text = string.format('%.0f', now)
`;

const UNLESS_FENCED = `
local newest = redis.call('GET', KEYS[2])
if newest and tonumber(newest) > tonumber(ARGV[1]) then return 'FENCED' end
`;

/**
 * Writes a snapshot, or changes of it. Keys: snapshot, fence. Arguments: fencing token; expected position, or an empty text to
 * write a complete snapshot; new position; lifetime in milliseconds; number of arguments with fields and values; these fields
 * and values; removed fields. Returns the time, `FENCED` if another node has a newer token, or `GAP` if the position differs.
 */
export const WRITE_SNAPSHOT = new RedisScript(`
${UNLESS_FENCED}
if ARGV[2] == '' then redis.call('UNLINK', KEYS[1])
elseif redis.call('HGET', KEYS[1], 'at') ~= ARGV[2] then return 'GAP' end
${NOW}
local last = 5 + tonumber(ARGV[5])
for first = 6, last, 1000 do redis.call('HSET', KEYS[1], unpack(ARGV, first, math.min(first + 999, last))) end
for first = last + 1, #ARGV, 1000 do redis.call('HDEL', KEYS[1], unpack(ARGV, first, math.min(first + 999, #ARGV))) end
redis.call('HSET', KEYS[1], 'at', ARGV[3], 'atMs', text)
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return text
`);

/**
 * Renews a snapshot. Key: snapshot. Arguments: expected position, lifetime in milliseconds, fields and values of the signature.
 * Returns `GAP` if the position differs.
 */
export const RENEW_SNAPSHOT = new RedisScript(`
if redis.call('HGET', KEYS[1], 'at') ~= ARGV[1] then return 'GAP' end
redis.call('HSET', KEYS[1], unpack(ARGV, 3))
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 'OK'
`);

/** Removes a snapshot. Keys: snapshot, fence. Argument: fencing token. Returns the time, or `FENCED`. */
export const REMOVE_SNAPSHOT = new RedisScript(`
${UNLESS_FENCED}
${NOW}
redis.call('UNLINK', KEYS[1])
return text
`);

/**
 * Announces the servers of this node and lists all servers. Key: list of servers. Arguments: lifetime of an announcement in
 * milliseconds; ids of the announced servers. Returns the time and the ids of all servers.
 */
export const LIST_SERVERS = new RedisScript(`
${NOW}
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', text)
local lapse = string.format('%.0f', now + tonumber(ARGV[1]))
for index = 2, #ARGV do redis.call('ZADD', KEYS[1], lapse, ARGV[index]) end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return { text, redis.call('ZRANGE', KEYS[1], 0, -1) }
`);
