import { createHash } from 'node:crypto';
import type { RedisClient } from './redis-client.js';

/** A script that Redis runs as one step: its text is sent once, and its name afterwards. */
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
 * Keys: picture, term. Arguments: our term; the position that the picture has to have, or nothing: it is written
 * anew; its new position; its time to live, ms; how many arguments of fields and values come next; these; the fields
 * that go. Returns the time, `FENCED` when another has a newer term, or `GAP` when the picture has another position.
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

/** Keys: picture, term. Argument: our term. Returns the time, or `FENCED`. */
export const REMOVE_SNAPSHOT = new RedisScript(`
${UNLESS_FENCED}
${NOW}
redis.call('UNLINK', KEYS[1])
return text
`);

/**
 * Key: the servers there are. Arguments: how long they stay without being told again, ms; the ids of those that are
 * told. Returns the time, and the ids of all.
 */
export const LIST_SERVERS = new RedisScript(`
${NOW}
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', text)
local lapse = string.format('%.0f', now + tonumber(ARGV[1]))
for index = 2, #ARGV do redis.call('ZADD', KEYS[1], lapse, ARGV[index]) end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return { text, redis.call('ZRANGE', KEYS[1], 0, -1) }
`);
