import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openRedisConnection, type RedisConnection } from '../../../src/cluster/index.js';
import { createRedisRateLimiter, MemoryLimitCounters } from '../../../src/server/index.js';
import { ClientRateLimiter } from '../../../src/server/limits/rate-limiter.js';
import { type Clock, parseRedisUrl, SwarmlensError, systemClock } from '../../../src/shared/index.js';
import { silentLogger } from '../../../src/telemetry/index.js';
import { ManualClock } from '../../support/manual-clock.js';
import { hasRedis, NO_REDIS, RedisServer } from '../../support/redis-server.js';
import { waitUntil } from '../../support/wait.js';

const MINUTE = 60;

/** Node whose rate limiter uses Redis. */
class Node implements AsyncDisposable {
  readonly counters = new MemoryLimitCounters();
  readonly rate: ClientRateLimiter;
  readonly connection: RedisConnection;

  private constructor(connection: RedisConnection) {
    this.connection = connection;
    const createLimiter = createRedisRateLimiter(connection, connection.keys.shared('rate'));
    // A second could end during the test.
    this.rate = new ClientRateLimiter(
      'oncePerSecond',
      3,
      (options) => createLimiter({ ...options, duration: MINUTE }),
      this.counters,
    );
  }

  static async open(url: string, nodeId: string, clock: Clock = new ManualClock()): Promise<Node> {
    const address = parseRedisUrl(url);
    if (address === null) throw new Error(url);
    const options = { address, prefix: `rates-${process.pid}`, nodeId, clock, logger: silentLogger };
    const connection = openRedisConnection(options);
    await connection.connected;
    return new Node(connection);
  }

  /** Counts the allowed attempts. Throws errors other than RATE_LIMITED. */
  async allowed(client: string, times: number): Promise<number> {
    const uses = Array.from({ length: times }, () =>
      this.rate.consume(client, 'At most three per minute are allowed').then(
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
    return (await Promise.all(uses)).reduce<number>((sum, allowed) => sum + allowed, 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.connection[Symbol.asyncDispose]();
  }
}

describe.skipIf(!hasRedis({ own: true }))(
  `createRedisRateLimiter${hasRedis({ own: true }) ? '' : ` (${NO_REDIS})`}`,
  () => {
    let redis: RedisServer;

    beforeEach(async () => {
      redis = await RedisServer.start();
    });

    afterEach(async () => {
      await redis[Symbol.asyncDispose]();
    });

    test('counts each client on all nodes together and lets the keys expire', async () => {
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

    test('rejects a client without points without calling Redis', async () => {
      await using a = await Node.open(redis.url, 'a');
      expect(await a.allowed('eve', 3)).toBe(3);
      for (let round = 0; round < 10; round += 1) expect(await a.allowed('eve', 20)).toBe(0);
      expect(await redis.look.get(`rates-${process.pid}:rate:oncePerSecond:eve`)).toBe('3');
    });

    test('counts per node while Redis does not answer', async () => {
      // The commands to a Redis that does not answer must time out.
      await using a = await Node.open(redis.url, 'a', systemClock);
      redis.pause();
      try {
        expect(await a.allowed('joe', 5)).toBe(3);
      } finally {
        redis.resume();
      }
      await redis.kill();
      await waitUntil(() => !a.connection.isUp, { state: () => a.connection.isUp });
      expect(await a.allowed('kim', 5)).toBe(3);
      expect(await a.allowed('kim', 5)).toBe(0);
    });
  },
);
