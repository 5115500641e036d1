import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openRedisLink, type RedisLink } from '../../src/bus/index.js';
import { MemoryLimitCounters, Rate, redisRates } from '../../src/limits/index.js';
import { parseRedisUrl, SwarmlensError } from '../../src/shared/index.js';
import { silentLogger } from '../../src/telemetry/index.js';
import { ManualClock } from '../support/manual-clock.js';
import { hasRedis, NO_REDIS, RedisServer } from '../support/redis-server.js';
import { waitUntil } from '../support/wait.js';

const MINUTE = 60;

/** A node that counts in Redis. */
class Node implements AsyncDisposable {
  readonly counters = new MemoryLimitCounters();
  readonly rate: Rate;
  readonly link: RedisLink;

  private constructor(link: RedisLink) {
    this.link = link;
    const make = redisRates(link, link.names.shared('rate'));
    // Not by the second, which may end at any time.
    this.rate = new Rate('oncePerSecond', 3, (options) => make({ ...options, duration: MINUTE }), this.counters);
  }

  static async open(url: string, nodeId: string): Promise<Node> {
    const address = parseRedisUrl(url);
    if (address === null) throw new Error(url);
    const options = { address, prefix: `rates-${process.pid}`, nodeId, clock: new ManualClock(), logger: silentLogger };
    const link = openRedisLink(options);
    await link.firstUp;
    return new Node(link);
  }

  /** How often it was allowed; whatever else it may be than that or RATE_LIMITED is thrown. */
  async allowed(client: string, times: number): Promise<number> {
    const uses = Array.from({ length: times }, () =>
      this.rate.use(client, 'three a minute are allowed').then(
        () => 1,
        (error: unknown) => {
          if (!(error instanceof SwarmlensError) || error.code !== 'RATE_LIMITED') throw error;
          const retryAfterMs = Number(error.details['retryAfterMs']);
          expect(retryAfterMs).toBeGreaterThan(0);
          expect(retryAfterMs).toBeLessThanOrEqual(MINUTE * 1_000);
          return 0;
        },
      ),
    );
    return (await Promise.all(uses)).reduce<number>((sum, one) => sum + one, 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.link[Symbol.asyncDispose]();
  }
}

describe.skipIf(!hasRedis({ own: true }))(`rates in Redis${hasRedis({ own: true }) ? '' : ` (${NO_REDIS})`}`, () => {
  let redis: RedisServer;

  beforeAll(async () => {
    redis = await RedisServer.start();
  });

  afterAll(async () => {
    await redis[Symbol.asyncDispose]();
  });

  test('are one for all nodes, each client its own, and the keys go when what they count does', async () => {
    await using a = await Node.open(redis.url, 'a');
    await using b = await Node.open(redis.url, 'b');
    expect([await a.allowed('ada', 2), await b.allowed('ada', 5), await a.allowed('ada', 5)]).toEqual([2, 1, 0]);
    expect(await b.allowed('bob', 5)).toBe(3);
    const keys = await redis.look.keys('*');
    expect(keys.sort()).toEqual(['ada', 'bob'].map((client) => `rates-${process.pid}:rate:oncePerSecond:${client}`));
    for (const key of keys) {
      const ttlMs = await redis.look.pttl(key);
      expect(ttlMs).toBeGreaterThan(0);
      expect(ttlMs).toBeLessThanOrEqual(MINUTE * 1_000);
    }
    expect(b.counters.read().find(({ name }) => name === 'oncePerSecond')?.hits).toBe(6);
  });

  test('who has used all of it is refused without Redis being asked again', async () => {
    await using a = await Node.open(redis.url, 'a');
    expect(await a.allowed('eve', 3)).toBe(3);
    for (let round = 0; round < 10; round += 1) expect(await a.allowed('eve', 20)).toBe(0);
    expect(await redis.look.get(`rates-${process.pid}:rate:oncePerSecond:eve`)).toBe('3');
  });

  test('while Redis does not answer, each node counts for itself: limited still, and no other error', async () => {
    await using a = await Node.open(redis.url, 'a');
    redis.pause();
    try {
      expect(await a.allowed('joe', 5)).toBe(3);
    } finally {
      redis.resume();
    }
    await redis.kill();
    await waitUntil(() => !a.link.isUp, { state: () => a.link.isUp });
    expect(await a.allowed('kim', 5)).toBe(3);
    expect(await a.allowed('kim', 5)).toBe(0);
  });
});
