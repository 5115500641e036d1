import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Config, loadConfig } from '../../src/config/index.js';
import { mistakesOf } from './mistakes.js';

const KEY = 'a key that is long enough for the nodes';
const OTHER_KEY = 'another key, which the nodes accept too';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'swarmlens-bus-'));
  const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=x'];
  execFileSync('openssl', [...request, '-keyout', 'key.pem', '-out', 'cert.pem'], { cwd: directory, stdio: 'ignore' });
});
afterAll(() => rm(directory, { recursive: true }));

async function load(swarmlens: unknown, env: Record<string, string> = {}): Promise<Config> {
  const file = join(directory, 'config.json');
  await writeFile(file, JSON.stringify({ mcpServers: {}, swarmlens }));
  return loadConfig({ flags: { config: file }, env, cwd: directory, program: '/main.js' });
}

async function problems(swarmlens: unknown): Promise<readonly string[]> {
  return mistakesOf(load(swarmlens));
}

describe('swarmlens.busKeys', () => {
  test('are taken from the environment, in order', async () => {
    const keys = ['${BUS_KEY}', OTHER_KEY];
    const { busKeys, warnings } = await load({ bus: 'redis://localhost', busKeys: keys }, { BUS_KEY: KEY });
    expect([busKeys, warnings]).toEqual([[KEY, OTHER_KEY], []]);
  });

  test('are not quoted when they are too short or too many', async () => {
    const short = await problems({ busKeys: [KEY, 'too-short'] });
    expect(short).toEqual([expect.stringMatching(/^swarmlens\.busKeys\.1: is \*\*\* – expected 32 to 512 characters/)]);
    const many = await problems({ busKeys: Array.from({ length: 9 }, () => KEY) });
    expect(many).toEqual(['swarmlens.busKeys: is *** – expected at most 8 keys']);
    expect(await problems({ busKeys: KEY })).toEqual(['swarmlens.busKeys: is *** – expected a list']);
  });

  test('cause a warning when they are missing on a node with a Redis', async () => {
    const { warnings } = await load({ bus: 'redis://localhost' });
    expect(warnings).toEqual([expect.stringMatching(/^swarmlens\.busKeys is not set: anybody who can write to Redis/)]);
    expect((await load({})).warnings).toEqual([]);
  });
});

describe('swarmlens.busTls', () => {
  test('names files relative to the configuration', async () => {
    const busTls = { caFile: 'cert.pem', certFile: 'cert.pem', keyFile: 'key.pem' };
    const config = await load({ bus: 'rediss://localhost', busKeys: [KEY], busTls });
    expect(config.busTls).toEqual({
      ca: expect.stringContaining('BEGIN CERTIFICATE'),
      cert: expect.stringContaining('BEGIN CERTIFICATE'),
      key: expect.stringContaining('PRIVATE KEY'),
    });
    expect((await load({ bus: 'rediss://localhost', busTls: {} })).busTls).toEqual({ ca: null, cert: null, key: null });
  });

  test('is rejected without TLS, without its other half, and with files that are not PEM', async () => {
    const notTls = 'swarmlens.busTls: is set, but swarmlens.bus does not use TLS – expected a URL with rediss';
    expect(await problems({ bus: 'redis://localhost', busTls: { caFile: 'cert.pem' } })).toEqual([notTls]);
    expect(await problems({ busTls: { caFile: 'cert.pem' } })).toEqual([notTls]);
    expect(await problems({ bus: 'rediss://localhost', busTls: { certFile: 'cert.pem' } })).toEqual([
      'swarmlens.busTls.keyFile: is missing – expected a path, because certFile is set',
    ]);
    const wrong = { caFile: 'nowhere.pem', certFile: 'key.pem', keyFile: 'config.json' };
    expect(await problems({ bus: 'rediss://localhost', busTls: wrong })).toEqual([
      expect.stringMatching(/^swarmlens\.busTls\.caFile: .*nowhere\.pem cannot be read \(ENOENT/),
      expect.stringMatching(/^swarmlens\.busTls\.certFile: .*key\.pem is not valid PEM/),
      expect.stringMatching(/^swarmlens\.busTls\.keyFile: .*config\.json is not valid PEM/),
    ]);
  });
});
