import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openRedisConnection, type RedisConnection } from '../../../src/cluster/index.js';
import { parseRedisUrl, type RedisTls, systemClock } from '../../../src/shared/index.js';
import { silentLogger } from '../../../src/telemetry/index.js';
import { hasRedis, NO_REDIS, RedisServer } from '../../support/redis-server.js';
import { settled } from '../../support/manual-clock.js';
import { waitUntil } from '../../support/wait.js';
import { type Certificates, createCertificates, freePort } from './tls.js';

const here = hasRedis({ own: true });

let certificates: Certificates;
let redis: RedisServer;
let url: string;
beforeAll(async () => {
  if (!here) return;
  certificates = await createCertificates();
  const port = await freePort();
  redis = await RedisServer.start(certificates.redisArguments(port));
  url = `rediss://127.0.0.1:${port}`;
});
afterAll(async () => {
  if (!here) return;
  await redis[Symbol.asyncDispose]();
  await certificates[Symbol.asyncDispose]();
});

function open(address: string, tls: RedisTls | null): RedisConnection {
  const parsed = parseRedisUrl(address);
  if (parsed === null) throw new Error('not a Redis URL');
  return openRedisConnection({
    address: parsed,
    tls,
    prefix: 't',
    nodeId: 'one',
    clock: systemClock,
    logger: silentLogger,
  });
}

function untilFailure(link: RedisConnection, pattern: RegExp): Promise<void> {
  return waitUntil(() => pattern.test(link.failureReason ?? ''), { state: () => link.failureReason });
}

describe.skipIf(!here)(`RedisConnection with TLS${here ? '' : ` (${NO_REDIS})`}`, () => {
  test('connects with the certificate of the authority and a client certificate, and exchanges messages', async () => {
    await using link = open(url, certificates.client);
    await link.connected;
    let received: unknown = null;
    await using _subscription = await link.subscribe('t:x', (message) => (received = message));
    await link.publish('t:x', ['over TLS']);
    await waitUntil(() => received !== null, { state: () => link.failureReason });
    expect(received).toEqual(['over TLS']);
  });

  test('is down with the reason when the authority is unknown', async () => {
    await using link = open(url, null);
    await untilFailure(link, /self.signed certificate|unable to verify|unable to get/);
    expect(link.isUp).toBe(false);
  });

  test('ends during a handshake that fails', async () => {
    // Each connection has got further than the one before. A second error of a connection would be uncaught.
    for (let turns = 0; turns < 100; turns += 1) {
      const link = open(url, null);
      for (let turn = 0; turn < turns; turn += 1) await settled();
      await link[Symbol.asyncDispose]();
    }
  });

  test('is down when Redis requires a client certificate that is missing', async () => {
    await using link = open(url, { ...certificates.client, cert: null, key: null });
    await untilFailure(link, /certificate required|handshake|closed|ECONNRESET|EPIPE/i);
    expect(link.isUp).toBe(false);
  });

  test('is down when Redis does not speak TLS', async () => {
    await using link = open(redis.url.replace('redis:', 'rediss:'), certificates.client);
    await untilFailure(link, /wrong version|closed|ECONNRESET|EPIPE|ETIMEDOUT|packet length/i);
    expect(link.isUp).toBe(false);
  });
});
