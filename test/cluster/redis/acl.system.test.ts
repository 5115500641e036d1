import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { App } from '../../../src/app/create-app.js';
import type { Config } from '../../../src/config/index.js';
import { parseRedisUrl } from '../../../src/shared/index.js';
import { request, serverConfig, startApp, testConfig } from '../../support/app.js';
import { hasRedis, NO_REDIS, RedisServer } from '../../support/redis-server.js';
import { waitUntil } from '../../support/wait.js';
import { simulated } from '../../upstream/discovery/listeners.js';
import { BUS_KEY } from '../test-node.js';
import { type Certificates, createCertificates, freePort } from './tls.js';

const here = hasRedis({ own: true });
const DOCUMENT = fileURLToPath(new URL('../../../docs/scale.md', import.meta.url));

let certificates: Certificates;
let directory: string;
let redis: RedisServer;
let options: Partial<Config>;
beforeAll(async () => {
  if (!here) return;
  const rule = /^user swarmlens .*$/m.exec(await readFile(DOCUMENT, 'utf8'))?.[0];
  if (rule === undefined) throw new Error('docs/scale.md contains no user');
  certificates = await createCertificates();
  directory = await mkdtemp(join(tmpdir(), 'swarmlens-acl-'));
  const file = join(directory, 'users.acl');
  await writeFile(file, `${rule}\nuser default on nopass ~* &* +@all\n`);
  const port = await freePort();
  redis = await RedisServer.start([...certificates.redisArguments(port), '--aclfile', file]);
  const bus = parseRedisUrl(`rediss://swarmlens:PASSWORD@127.0.0.1:${port}`);
  if (bus === null) throw new Error('no URL of a Redis');
  options = { bus, busKeys: [BUS_KEY], busTls: certificates.client, heartbeatMs: 200, leaseMs: 120_000 };
});
afterAll(async () => {
  if (!here) return;
  await redis[Symbol.asyncDispose]();
  await certificates[Symbol.asyncDispose]();
  await rm(directory, { recursive: true });
});

async function agentIds(app: App): Promise<unknown> {
  const { data } = await request(app, '{ agents { id } }');
  return (data?.['agents'] as readonly { readonly id: string }[]).map(({ id }) => id).sort(); // as selected
}

describe.skipIf(!here)(`Two nodes on Redis with the documented user${here ? '' : ` (${NO_REDIS})`}`, () => {
  test('share servers, calls and rates, and move servers, without a denied command', async () => {
    await using server = await simulated('daa', 'http');
    const endpoint = { type: 'http', url: `http://127.0.0.1:${server.port}/mcp`, headers: {} } as const;
    const daa = serverConfig('daa', [], { endpoint, allowTools: ['healthcheck'] });
    await using first = await startApp([daa], options);
    await using second = await startApp([daa], options);
    const seen = await agentIds(first);
    expect(seen).toHaveLength(2);
    expect(await agentIds(second)).toEqual(seen);
    const call = 'mutation { callTool(serverId: "daa", tool: "healthcheck") { isError } }';
    for (const app of [first, second]) {
      expect((await request(app, call)).data).toEqual({ callTool: { isError: false } });
      await request(app, 'mutation { requestAgentUpdate { serverIds } }');
    }
    expect(await redis.look.keys('swarmlens:rate*')).not.toEqual([]);
    await first[Symbol.asyncDispose]();
    let answer: unknown;
    const isTakenOver = async (): Promise<boolean> => {
      answer = await request(second, call);
      return isDeepStrictEqual(answer, { data: { callTool: { isError: false } } });
    };
    await waitUntil(isTakenOver, { state: () => answer });
    expect(await agentIds(second)).toEqual(seen);
    await second.applyConfig(testConfig([], options));
    await waitUntil(async () => isDeepStrictEqual(await agentIds(second), []), { state: () => seen });
    expect(await redis.look.call('ACL', 'LOG')).toEqual([]);
  });

  test('keeps the user from other keys, channels and commands', async () => {
    const user = redis.look.duplicate({ username: 'swarmlens', password: 'PASSWORD' });
    try {
      for (const [command, ...args] of [
        ['get', 'other'],
        ['publish', 'other', 'x'],
        ['psubscribe', '*'],
        ['flushall'],
        ['config', 'get', '*'],
        ['keys', '*'],
      ] as const) {
        await expect(user.call(command, ...args)).rejects.toThrow(/NOPERM/);
      }
    } finally {
      user.disconnect();
      await redis.look.call('ACL', 'LOG', 'RESET');
    }
  });
});
