import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createApp } from '../../src/app/create-app.js';
import { type Config, loadConfig } from '../../src/config/index.js';
import { systemClock } from '../../src/shared/index.js';
import { recordingLogger, serverPath } from '../mcp/support.js';
import { request } from '../support/app.js';
import { waitUntil } from '../support/wait.js';

let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'swarmlens-test-'));
});

afterAll(async () => {
  await rm(directory, { recursive: true, force: true });
});

const GOOD = { command: process.execPath, args: [serverPath('toolless')] };

async function load(mcpServers: object): Promise<Config> {
  await writeFile(join(directory, 'config.json'), JSON.stringify({ mcpServers, swarmlens: { port: 0 } }));
  return loadConfig({ flags: { config: 'config.json' }, env: {}, cwd: directory, program: '/main.js' });
}

type Health = Readonly<Record<string, unknown>>;

/** Waits until every server has the status. */
async function reached(app: { readonly url: string }, status: string, ...ids: readonly string[]): Promise<void> {
  let health: readonly Health[] = [];
  await waitUntil(
    async () => {
      health = await healthOf(app);
      return ids.every((id) => health.some((server) => server['id'] === id && server['status'] === status));
    },
    { state: () => health },
  );
}

async function healthOf(app: { readonly url: string }): Promise<readonly Health[]> {
  const { data } = await request(app, '{ servers { id status transport lastError } }');
  return data?.['servers'] as readonly Health[]; // as selected
}

describe('a configuration with an entry that cannot be used', () => {
  test('starts the others, and shows the entry as OFFLINE with the reason, in one log line', async () => {
    const { logger, lines } = recordingLogger();
    const config = await load({ bad: { type: 'pigeon', url: 'http://127.0.0.1/' }, good: GOOD });
    await using app = await createApp(config, { clock: systemClock, logger });
    await app.discovered;
    const reason = expect.stringMatching(
      /^mcpServers\.bad\.type: is "pigeon" – expected stdio, .*config\.json, line 1\)$/,
    );
    expect(await healthOf(app)).toEqual([
      { id: 'bad', status: 'OFFLINE', transport: 'HTTP', lastError: reason },
      { id: 'good', status: 'ONLINE', transport: 'STDIO', lastError: null },
    ]);
    const warnings = lines.filter(({ level }) => level === 'warn' || level === 'error');
    expect(warnings.filter((line) => JSON.stringify(line).includes('pigeon'))).toEqual([
      expect.objectContaining({
        fields: { code: 'CONFIG_WARNING' },
        message: expect.stringContaining('is skipped – '),
      }),
    ]);
  });

  test('removes an entry that becomes unusable, names it, keeps the others, and starts it when it is mended', async () => {
    const { logger, lines } = recordingLogger();
    await using app = await createApp(await load({ a: GOOD, b: { ...GOOD, args: [...GOOD.args, 'b'] } }), {
      clock: systemClock,
      logger,
    });
    await app.discovered;
    const connects = (id: string): number =>
      lines.filter(({ fields, message }) => fields['serverId'] === id && message === 'server connected').length;
    await app.applyConfig(await load({ a: { command: '${NOT_SET}' }, b: { ...GOOD, args: [...GOOD.args, 'b'] } }));
    await reached(app, 'OFFLINE', 'a');
    expect(await healthOf(app)).toEqual([
      expect.objectContaining({ id: 'a', lastError: expect.stringContaining('variable NOT_SET is not set') }),
      expect.objectContaining({ id: 'b', status: 'ONLINE' }),
    ]);
    expect(lines.filter(({ message }) => message.startsWith('mcpServers.a: is skipped – '))).toHaveLength(1);
    await app.applyConfig(await load({ a: GOOD, b: { ...GOOD, args: [...GOOD.args, 'b'] } }));
    await reached(app, 'ONLINE', 'a', 'b');
    expect([connects('a'), connects('b')]).toEqual([2, 1]);
  });
});
