import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openPage } from '../browser/page.js';
import {
  PROGRAM,
  request,
  SocketClient,
  startApp,
  type Subscription,
  StreamedState,
  type WireUpdate,
} from '../support/app.js';
import { findChromium, startBrowser } from '../support/chromium.js';
import { Program } from '../support/program.js';
import { hasRedis, NO_REDIS, RedisServer } from '../support/redis-server.js';
import { readServerSentEvents } from '../support/server-sent-events.js';
import { parseRedisUrl } from '../../src/shared/index.js';
import { waitUntil } from '../support/wait.js';

const redisIsHere = hasRedis({ own: true });
const chromium = findChromium();
const chromiumIsHere = chromium !== null || process.env['CI'] === 'true';

// Covers every real part once: the built program, a simulator over stdio, WebSocket, SSE, Redis, Chromium.
describe('swarmlens serve', () => {
  let directory: string;
  let redis: RedisServer | null;
  let program: Program;
  let url: string;

  beforeAll(async () => {
    redis = redisIsHere ? await RedisServer.start() : null;
    directory = await mkdtemp(join(tmpdir(), 'swarmlens-test-'));
    const args = [PROGRAM, 'simulate', '--type', 'ruv-swarm', '--agents', '6', '--hz', '20'];
    const config = {
      mcpServers: {
        ruv: { command: process.execPath, args, swarmlens: { timeoutMs: 60_000, connectTimeoutMs: 120_000 } },
      },
      swarmlens: redis === null ? {} : { bus: redis.url, leaseMs: 60_000 },
    };
    await writeFile(join(directory, 'config.json'), JSON.stringify(config));
    program = new Program(['serve', '--config', 'config.json', '--port', '0'], { cwd: directory });
    url = (await program.printed(/ready at (\S+)\/graphql/))[1] ?? '';
    await waitUntil(async () => (await agentIds({ url })).length > 0, { state: () => program.stderr });
  });

  afterAll(async () => {
    await program[Symbol.asyncDispose]();
    await redis?.[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  });

  test('streams the agents of a simulator over a WebSocket', async () => {
    await using client = new SocketClient({ url });
    using stream = client.watchAgents({ mode: 'HIGH_FREQUENCY' });
    await stream.until(({ length }) => length >= 3);
    await untilEqualToQuery(stream, { url });
  });

  test('streams the same agents over SSE', async () => {
    const query = 'subscription { agentUpdates(mode: HIGH_FREQUENCY) { kind agents { id } } }';
    const leaving = new AbortController();
    const response = await fetch(`${url}/graphql?${new URLSearchParams({ query }).toString()}`, {
      headers: { accept: 'text/event-stream' },
      signal: leaving.signal,
    });
    const events = readServerSentEvents(response);
    const first = (await events.next()).value as { data: Pick<WireUpdate, 'agentUpdates'> }; // as selected
    expect(first.data.agentUpdates.kind).toBe('SNAPSHOT');
    expect(first.data.agentUpdates.agents.length).toBeGreaterThan(0);
    expect((await events.next()).value).toMatchObject({ data: { agentUpdates: { kind: 'DELTA' } } });
    leaving.abort();
  });

  test.skipIf(!redisIsHere)(
    `shares its agents with a second node over Redis${redisIsHere ? '' : ` (${NO_REDIS})`}`,
    async () => {
      const bus = parseRedisUrl(redis?.url ?? '');
      if (bus === null) throw new Error('not a Redis URL');
      await using other = await startApp([], { bus });
      await using client = new SocketClient(other);
      using stream = client.watchAgents({ mode: 'HIGH_FREQUENCY' });
      await stream.until(({ length }) => length >= 3);
      await untilEqualToQuery(stream, { url });
    },
  );

  test.skipIf(!chromiumIsHere)(
    `shows the agents in Chromium${chromiumIsHere ? '' : ' (skipped: Chromium is not on the PATH)'}`,
    async () => {
      if (chromium === null) throw new Error('Chromium is missing: install it, or set CHROMIUM_PATH');
      await using browser = await startBrowser(chromium);
      await using watched = await openPage(browser, url);
      await watched.page.locator('#connection', { hasText: 'live' }).waitFor();
      await waitUntil(async () => (await watched.page.locator('.agent').count()) > 0, { state: () => watched.errors });
      expect(watched.errors).toEqual([]);
    },
  );
});

/** Resolves when the agents of a stream equal those of a query. Retries, because the simulator starts and stops agents all the time. */
async function untilEqualToQuery(stream: Subscription<WireUpdate>, node: { readonly url: string }): Promise<void> {
  const streamed = (): readonly string[] => {
    const state = stream.data.reduce((before, update) => before.apply(update), new StreamedState());
    return [...state.whole.keys()].toSorted();
  };
  await waitUntil(async () => isDeepStrictEqual(await agentIds(node), streamed()), { state: streamed });
}

async function agentIds(node: { readonly url: string }): Promise<readonly string[]> {
  const { data } = await request(node, '{ agents { id } }');
  return (data?.['agents'] as { id: string }[]).map(({ id }) => id).toSorted(); // as selected
}
