import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openPage } from '../browser/page.js';
import { PROGRAM, request, SocketClient, startApp, WirePicture, type WireUpdate } from '../support/app.js';
import { findChromium, startBrowser } from '../support/chromium.js';
import { Program } from '../support/program.js';
import { hasRedis, NO_REDIS, RedisServer } from '../support/redis-server.js';
import { readServerSentEvents } from '../support/server-sent-events.js';
import { parseRedisUrl } from '../../src/shared/index.js';
import { waitUntil } from '../support/wait.js';

const redisIsHere = hasRedis({ own: true });
const chromium = findChromium();
const chromiumIsHere = chromium !== null || process.env['CI'] === 'true';

const AGENTS = 6;

// The shortest way through every real part: the built program, a simulator over stdio, WebSocket, SSE, Redis, Chromium.
describe('the program', () => {
  let directory: string;
  let redis: RedisServer | null;
  let program: Program;
  let url: string;

  beforeAll(async () => {
    redis = redisIsHere ? await RedisServer.start() : null;
    directory = await mkdtemp(join(tmpdir(), 'swarmlens-test-'));
    const args = [PROGRAM, 'simulate', '--type', 'ruv-swarm', '--agents', `${AGENTS}`, '--hz', '20'];
    const config = {
      mcpServers: {
        ruv: { command: process.execPath, args, swarmlens: { timeoutMs: 60_000, connectTimeoutMs: 120_000 } },
      },
      swarmlens: redis === null ? {} : { bus: redis.url, leaseMs: 60_000 },
    };
    await writeFile(join(directory, 'config.json'), JSON.stringify(config));
    program = new Program(['serve', '--config', 'config.json', '--port', '0'], { cwd: directory });
    url = (await program.printed(/ready at (\S+)\/graphql/))[1] ?? '';
    await waitUntil(async () => (await agentIds({ url })).length === AGENTS, { state: () => program.stderr });
  });

  afterAll(async () => {
    await program[Symbol.asyncDispose]();
    await redis?.[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  });

  test('streams the agents of a simulator over a WebSocket', async () => {
    await using client = new SocketClient({ url });
    using stream = client.watchAgents({ mode: 'HIGH_FREQUENCY' });
    const picture = new WirePicture();
    for (const update of await stream.until(({ length }) => length >= 3)) picture.apply(update);
    expect([...picture.whole.keys()].toSorted()).toEqual(await agentIds({ url }));
    expect(picture.patched.size).toBe(AGENTS);
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
    expect(first.data.agentUpdates.agents.map(({ id }) => id).toSorted()).toEqual(await agentIds({ url }));
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
      const isWhole = (updates: readonly WireUpdate[]): boolean =>
        updates.reduce((picture, update) => picture.apply(update), new WirePicture()).whole.size === AGENTS;
      const whole = await stream.until(isWhole);
      await stream.until(({ length }) => length > whole.length);
      expect(await agentIds(other)).toEqual(await agentIds({ url }));
    },
  );

  test.skipIf(!chromiumIsHere)(
    `shows the agents in Chromium${chromiumIsHere ? '' : ' (skipped: Chromium is not on the PATH)'}`,
    async () => {
      if (chromium === null) throw new Error('Chromium is missing: install it, or set CHROMIUM_PATH');
      await using browser = await startBrowser(chromium);
      await using watched = await openPage(browser, url);
      await watched.page.locator('#connection', { hasText: 'live' }).waitFor();
      await waitUntil(async () => (await watched.page.locator('.agent').count()) === AGENTS, {
        state: () => watched.wrong,
      });
      expect(watched.wrong).toEqual([]);
    },
  );
});

async function agentIds(node: { readonly url: string }): Promise<readonly string[]> {
  const { data } = await request(node, '{ agents { id } }');
  return (data?.['agents'] as { id: string }[]).map(({ id }) => id).toSorted(); // as selected
}
