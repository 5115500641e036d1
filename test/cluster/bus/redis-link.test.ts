import { describe, expect, test } from 'vitest';
import { openRedisConnection, type RedisConnection } from '../../../src/cluster/index.js';
import { type Clock, parseRedisUrl, systemClock } from '../../../src/shared/index.js';
import { silentLogger } from '../../../src/telemetry/index.js';
import { ManualClock } from '../../support/manual-clock.js';
import { hasRedis, NO_REDIS, RedisServer } from '../../support/redis-server.js';
import { ChangeNotifier, waitUntil } from '../../support/wait.js';

const here = hasRedis({ own: true });

describe.skipIf(!here)(`RedisConnection${here ? '' : ` (${NO_REDIS})`}`, () => {
  test('is up when both connections answer, and delivers JSON', async () => {
    await using redis = await RedisServer.start();
    await using link = open(redis.url);
    expect(link.isUp).toBe(false);
    expect(link.failureReason).toMatch(/^Redis at 127\.0\.0\.1:\d+: not connected yet$/);
    await link.connected;
    expect([link.isUp, link.failureReason]).toEqual([true, null]);
    const arrived = createInbox();
    await using _one = await link.subscribe('t:{a}:changes', arrived.push);
    await using _all = await link.subscribe(link.keys.allChanges, arrived.push, { pattern: true });
    await link.publish('t:{a}:changes', [1, 'ä']);
    expect(await arrived.next()).toEqual([[1, 'ä'], 't:{a}:changes']);
    expect(await arrived.next()).toEqual([[1, 'ä'], 't:{a}:changes']);
    await link.publish('t:{b}:changes', undefined);
    expect(await arrived.next()).toEqual([null, 't:{b}:changes']);
  });

  test('does not call a disposed subscriber of a channel that has other subscribers', async () => {
    await using redis = await RedisServer.start();
    await using link = open(redis.url);
    await link.connected;
    const [first, second] = [createInbox(), createInbox()];
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
    await link.connected;
    const arrived = createInbox();
    await using _subscription = await link.subscribe('t:x', arrived.push);
    redis.pause();
    await down(link, clock);
    expect(link.failureReason).toMatch(/^Redis at 127\.0\.0\.1:\d+: (does not answer|Command timed out)$/);
    await expect(link.publish('t:x', 1)).rejects.toThrow(/^Redis at/);
    redis.resume();
    await up(link, clock);
    await link.publish('t:x', 2);
    expect(await arrived.next()).toEqual([2, 't:x']);
  });

  test('rejects a command that Redis does not answer within a second', async () => {
    await using redis = await RedisServer.start();
    const clock = new ManualClock();
    await using link = open(redis.url, clock);
    await link.connected;
    redis.pause();
    const rejected = expect(link.commands.ping()).rejects.toThrow('Command timed out');
    await clock.pass(1_000, 50);
    await rejected;
    redis.resume();
  });

  test('accepts answers that arrived while this process was stalled for longer than the timeout', async () => {
    await using redis = await RedisServer.start();
    const clock = new ManualClock();
    await using link = open(redis.url, clock);
    await link.connected;
    await redis.look.ping();
    const changes: boolean[] = [];
    using _listening = link.onChange(() => changes.push(link.isUp));
    const answers = Promise.all([link.commands.ping(), link.commands.multi().ping().exec()]);
    clock.stall(1_500);
    expect(await answers).toEqual(['PONG', [[null, 'PONG']]]);
    expect(changes).toEqual([]);
  });

  test('restores all subscriptions after a restart of Redis, including those made during the outage', async () => {
    await using redis = await RedisServer.start();
    await using link = open(redis.url);
    await link.connected;
    const arrived = createInbox();
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

  test('reports a wrong password without revealing it', async () => {
    await using redis = await RedisServer.start(['--requirepass', 'right-one']);
    await using link = open(`redis://:s3cret-wrong@127.0.0.1:${redis.port}`);
    await untilFailureReason(link, /WRONGPASS/);
    expect(link.failureReason).not.toContain('s3cret');
    await using other = open(redis.url);
    await other.connected;
    expect(other.isUp).toBe(true);
  });

  test('is down with the reason when Redis rejects a subscription', async () => {
    await using redis = await RedisServer.start();
    await redis.look.call('ACL', 'SETUSER', 'narrow', 'on', '>pw', '+@all', '~*', 'resetchannels', '&t:allowed');
    await using link = open(`redis://narrow:pw@127.0.0.1:${redis.port}`);
    await link.connected;
    await using _allowed = await link.subscribe('t:allowed', () => undefined);
    const refused = link.subscribe('t:forbidden', () => undefined);
    await untilFailureReason(link, /NOPERM/);
    const rejected = expect(refused).rejects.toThrow(/closed/);
    await link[Symbol.asyncDispose]();
    await rejected;
  });

  test.each(['up', 'stopped', 'killed'] as const)(
    'leaves no connection and no timer when it is disposed (Redis %s)',
    async (state) => {
      await using redis = await RedisServer.start();
      await redis.look.ping();
      const before = timers();
      const clock = new ManualClock();
      const link = open(redis.url, clock);
      await link.connected;
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
      // A Redis that was stopped closes the connections one after another.
      let left: readonly string[] = [];
      await waitUntil(async () => (left = await clients(redis)).length === 1, { state: () => left });
    },
  );
});

function open(url: string, clock: Clock = systemClock): RedisConnection {
  const address = parseRedisUrl(url);
  if (address === null) throw new Error('not a Redis URL');
  return openRedisConnection({ address, prefix: 't', nodeId: 'one', clock, logger: silentLogger });
}

/** Advances the clock until the link is up or down. */
async function until(link: RedisConnection, clock: Clock, isUp: boolean): Promise<void> {
  const isReached = (): boolean => {
    if (link.isUp === isUp) return true;
    if (clock instanceof ManualClock) clock.advance(250);
    return false;
  };
  await waitUntil(isReached, { state: () => link.failureReason, intervalMs: 1 });
}

const down = (link: RedisConnection, clock: Clock): Promise<void> => until(link, clock, false);
const up = (link: RedisConnection, clock: Clock): Promise<void> => until(link, clock, true);

/** Resolves when the link next goes up or down. */
async function changed(link: RedisConnection): Promise<void> {
  const changes = new ChangeNotifier();
  let hasChanged = false;
  using _listening = link.onChange(() => {
    hasChanged = true;
    changes.notify();
  });
  await changes.until(() => hasChanged, { state: () => link.failureReason });
}

async function untilFailureReason(link: RedisConnection, pattern: RegExp): Promise<void> {
  await waitUntil(() => pattern.test(link.failureReason ?? ''), { state: () => link.failureReason });
}

async function clients(redis: RedisServer): Promise<readonly string[]> {
  return String(await redis.look.client('LIST'))
    .trim()
    .split('\n');
}

/** Returns the number of timers of the whole process, including those of the test. */
function timers(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
}

function createInbox() {
  const arrived: unknown[] = [];
  const changes = new ChangeNotifier();
  return {
    get size() {
      return arrived.length;
    },
    push: (message: unknown, { channel }: { readonly channel: string }) => {
      arrived.push([message, channel]);
      changes.notify();
    },
    async next(): Promise<unknown> {
      await changes.until(() => arrived.length > 0, { state: () => 'no message' });
      return arrived.shift();
    },
  };
}
