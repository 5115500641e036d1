import { describe, expect, test } from 'vitest';
import { openRedisLink, type RedisLink } from '../../src/bus/index.js';
import { type Clock, parseRedisUrl, systemClock } from '../../src/shared/index.js';
import { silentLogger } from '../../src/telemetry/index.js';
import { ManualClock } from '../support/manual-clock.js';
import { hasRedis, NO_REDIS, RedisServer } from '../support/redis-server.js';
import { ChangeNotifier, waitUntil } from '../support/wait.js';

const here = hasRedis({ own: true });

describe.skipIf(!here)(`the link to Redis${here ? '' : ` (${NO_REDIS})`}`, () => {
  test('is up when both connections answer, and carries JSON', async () => {
    await using redis = await RedisServer.start();
    await using link = open(redis.url);
    expect(link.isUp).toBe(false);
    expect(link.trouble).toMatch(/^Redis at 127\.0\.0\.1:\d+ is not connected yet$/);
    await link.firstUp;
    expect([link.isUp, link.trouble]).toEqual([true, null]);
    const arrived = inbox();
    await using _one = await link.subscribe('t:{a}:changes', arrived.push);
    await using _all = await link.subscribe(link.names.allChanges, arrived.push, { pattern: true });
    await link.publish('t:{a}:changes', [1, 'ä']);
    expect(await arrived.next()).toEqual([[1, 'ä'], 't:{a}:changes']);
    expect(await arrived.next()).toEqual([[1, 'ä'], 't:{a}:changes']);
    await redis.look.publish('t:{b}:changes', 'no JSON');
    expect(await arrived.next()).toEqual([null, 't:{b}:changes']);
  });

  test('hears no channel that it has left, while others still read it', async () => {
    await using redis = await RedisServer.start();
    await using link = open(redis.url);
    await link.firstUp;
    const [first, second] = [inbox(), inbox()];
    const one = await link.subscribe('t:x', first.push);
    const two = await link.subscribe('t:x', second.push);
    await one[Symbol.asyncDispose]();
    await link.publish('t:x', 1);
    expect(await second.next()).toEqual([1, 't:x']);
    expect(first.size).toBe(0);
    await two[Symbol.asyncDispose]();
    expect(await redis.look.pubsub('CHANNELS', '*')).toEqual([]);
  });

  test('goes down when Redis is stopped, and up with its first answer', async () => {
    await using redis = await RedisServer.start();
    const clock = new ManualClock();
    await using link = open(redis.url, clock);
    await link.firstUp;
    const arrived = inbox();
    await using _subscription = await link.subscribe('t:x', arrived.push);
    redis.pause();
    await down(link, clock);
    expect(link.trouble).toMatch(/^Redis at 127\.0\.0\.1:\d+: (does not answer|Command timed out)$/);
    await expect(link.publish('t:x', 1)).rejects.toThrow(/^Redis at/);
    redis.resume();
    await up(link, clock);
    await link.publish('t:x', 2);
    expect(await arrived.next()).toEqual([2, 't:x']);
  });

  test('comes back after Redis was killed and started again, subscribed to what it was, and to what was asked meanwhile', async () => {
    await using redis = await RedisServer.start();
    await using link = open(redis.url);
    await link.firstUp;
    const arrived = inbox();
    await using _before = await link.subscribe('t:before', arrived.push);
    const wentDown = changed(link);
    await redis.kill();
    await wentDown;
    expect(link.isUp).toBe(false);
    await expect(link.commands.ping()).rejects.toThrow(/enableOfflineQueue|Connection|max retries/);
    const meanwhile = link.subscribe('t:meanwhile', arrived.push);
    await redis.restart();
    await using _meanwhile = await meanwhile;
    await up(link, systemClock);
    await link.publish('t:before', 1);
    await link.publish('t:meanwhile', 2);
    expect([await arrived.next(), await arrived.next()]).toEqual([
      [1, 't:before'],
      [2, 't:meanwhile'],
    ]);
  });

  test('says what is wrong with a password, and not the password', async () => {
    await using redis = await RedisServer.start(['--requirepass', 'right-one']);
    await using link = open(`redis://:s3cret-wrong@127.0.0.1:${redis.port}`);
    await changedTrouble(link, /WRONGPASS/);
    expect(link.trouble).not.toContain('s3cret');
    await using other = open(redis.url);
    await other.firstUp;
    expect(other.isUp).toBe(true);
  });

  test('is down with the reason when Redis refuses to subscribe', async () => {
    await using redis = await RedisServer.start();
    await redis.look.call('ACL', 'SETUSER', 'narrow', 'on', '>pw', '+@all', '~*', 'resetchannels', '&t:allowed');
    await using link = open(`redis://narrow:pw@127.0.0.1:${redis.port}`);
    await link.firstUp;
    await using _allowed = await link.subscribe('t:allowed', () => undefined);
    const refused = link.subscribe('t:forbidden', () => undefined);
    await changedTrouble(link, /NOPERM/);
    const rejected = expect(refused).rejects.toThrow(/closed/);
    await link[Symbol.asyncDispose]();
    await rejected;
  });

  test.each(['up', 'stopped', 'killed'] as const)(
    'leaves no connection and no timer behind (Redis %s)',
    async (state) => {
      await using redis = await RedisServer.start();
      await redis.look.ping();
      const before = timers();
      const clock = new ManualClock();
      const link = open(redis.url, clock);
      await link.firstUp;
      await link.subscribe('t:x', () => undefined);
      expect(await clients(redis)).toHaveLength(3);
      if (state === 'stopped') {
        redis.pause();
        await down(link, clock);
      }
      if (state === 'killed') {
        const wentDown = changed(link);
        await redis.kill();
        await wentDown;
      }
      await link[Symbol.asyncDispose]();
      if (state === 'stopped') redis.resume();
      expect(clock.pending).toBe(0);
      if (state === 'killed') return;
      expect(timers()).toBeLessThanOrEqual(before);
      // One that was stopped notices one after another that they are gone.
      let left: readonly string[] = [];
      await waitUntil(async () => (left = await clients(redis)).length === 1, { state: () => left });
    },
  );
});

function open(url: string, clock: Clock = systemClock): RedisLink {
  const address = parseRedisUrl(url);
  if (address === null) throw new Error('no URL of a Redis');
  return openRedisLink({ address, prefix: 't', nodeId: 'one', clock, logger: silentLogger });
}

/** Moves the clock by hand until the link says so. */
async function until(link: RedisLink, clock: Clock, isUp: boolean): Promise<void> {
  const isReached = (): boolean => {
    if (link.isUp === isUp) return true;
    if (clock instanceof ManualClock) clock.advance(250);
    return false;
  };
  await waitUntil(isReached, { state: () => link.trouble, intervalMs: 1 });
}

const down = (link: RedisLink, clock: Clock): Promise<void> => until(link, clock, false);
const up = (link: RedisLink, clock: Clock): Promise<void> => until(link, clock, true);

/** Resolves when the link next goes up or down. */
async function changed(link: RedisLink): Promise<void> {
  const changes = new ChangeNotifier();
  let hasChanged = false;
  using _listening = link.onChange(() => {
    hasChanged = true;
    changes.notify();
  });
  await changes.until(() => hasChanged, { state: () => link.trouble });
}

async function changedTrouble(link: RedisLink, pattern: RegExp): Promise<void> {
  await waitUntil(() => pattern.test(link.trouble ?? ''), { state: () => link.trouble });
}

async function clients(redis: RedisServer): Promise<readonly string[]> {
  return String(await redis.look.client('LIST'))
    .trim()
    .split('\n');
}

/** Of the whole process, the test's own included. */
function timers(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
}

function inbox() {
  const arrived: unknown[] = [];
  const changes = new ChangeNotifier();
  return {
    get size() {
      return arrived.length;
    },
    push: (message: unknown, channel: string) => {
      arrived.push([message, channel]);
      changes.notify();
    },
    async next(): Promise<unknown> {
      await changes.until(() => arrived.length > 0, { state: () => 'no message' });
      return arrived.shift();
    },
  };
}
