import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TokenFileError, readTokenFile } from '../../src/auth/index.js';
import { ConfigError, loadConfig } from '../../src/config/index.js';
import { garbage, mutatedJson, mutatedText, runs } from '../support/fuzz-inputs.js';

let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'swarmlens-test-'));
});

afterAll(async () => {
  await rm(directory, { recursive: true, force: true });
});

/** Configuration that contains every kind of server and every setting. */
const FULL_CONFIG = {
  mcpServers: {
    flow: { command: 'npx', args: ['claude-flow', 'mcp', 'start'], cwd: '.', env: { A: '${HOME}' } },
    web: { type: 'http', url: 'http://127.0.0.1:3000/mcp', headers: { authorization: 'Bearer ${TOKEN}' } },
    socket: { type: 'ws', url: 'ws://127.0.0.1:3001' },
    legacy: {
      type: 'tcp',
      host: '127.0.0.1',
      port: 9500,
      token: '${TOKEN}',
      swarmlens: {
        serverType: 'RUV_SWARM',
        maxPollHz: 10,
        maxPollShare: 0.5,
        allowTools: ['swarm_init'],
        timeoutMs: 100,
        connectTimeoutMs: 100,
        replicas: [{ type: 'tcp', host: '127.0.0.1', port: 9501 }],
        sticky: true,
        breaker: { failures: 3, initialMs: 100, maxMs: 1_000 },
        restart: { initialMs: 100, maxMs: 1_000, maxAttempts: 3 },
      },
    },
    workers: {
      command: 'workers',
      swarmlens: {
        mapping: {
          agents: {
            tool: 'list',
            arguments: { all: true },
            list: 'result.workers',
            fields: {
              id: 'uuid',
              status: 'state',
              cpuUsage: { path: 'load.cpu', scale: 0.01 },
              type: { value: 'worker' },
            },
            statuses: { hacking: 'BUSY' },
          },
          swarms: { tool: 'teams', map: 'teams', fields: { id: '$key' } },
        },
      },
    },
  },
  swarmlens: {
    port: 4000,
    host: '127.0.0.1',
    bus: 'rediss://:pw@localhost:6379/1',
    busPrefix: 'p',
    busKeys: ['a key that is long enough for the nodes'],
    busTls: { caFile: 'nowhere.pem' },
    leaseMs: 5_000,
    logLevel: 'warn',
    limits: {},
    trustedDocuments: 'nowhere.json',
    auth: {
      jwt: { issuer: 'i', audience: ['a'], algorithms: ['HS256'], secret: '0123456789abcdef0123456789abcdef' },
      origins: ['https://swarm.example'],
    },
    heartbeatMs: 5_000,
    tombstones: 2_000,
    removeAfterMs: null,
    discovery: { hosts: ['localhost'], ports: [9500] },
    compressFromBytes: 512,
    maxBufferedBytes: 1_000,
    maxSlowMs: null,
  },
};

const WITHOUT_FILES = {
  ...FULL_CONFIG,
  swarmlens: { ...FULL_CONFIG.swarmlens, trustedDocuments: undefined, busTls: undefined },
};

async function load(bytes: Buffer, env: Record<string, string>): Promise<unknown> {
  await writeFile(join(directory, 'c.json'), bytes);
  const sources = { flags: { config: 'c.json' }, env, cwd: directory, program: '/program/main.js' };
  return await loadConfig(sources).catch((error: unknown) => error);
}

const ENV = { HOME: '/home/x', TOKEN: 'a-token-of-the-environment' };

test('for any configuration file and environment: loadConfig returns a configuration or one line per problem without secrets', async () => {
  expect(await load(Buffer.from(JSON.stringify(WITHOUT_FILES)), ENV)).toMatchObject({
    host: '127.0.0.1',
    port: 4000,
  });
  const counts = { configurations: 0, rejections: 0 };
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        {
          weight: 4,
          arbitrary: fc.oneof(mutatedJson(WITHOUT_FILES), mutatedJson(FULL_CONFIG)).map((text) => Buffer.from(text)),
        },
        { weight: 1, arbitrary: garbage },
      ),
      fc.oneof(
        fc.constant(ENV),
        fc.record(
          {
            HOME: fc.string({ unit: 'binary' }),
            TOKEN: fc.constant(ENV.TOKEN),
            PORT: fc.oneof(fc.constantFrom('0', '70000', '-1', '4e3'), fc.string()),
            LOG_LEVEL: fc.constantFrom('warn', 'WARN', ''),
            SWARMLENS_INSECURE_NO_AUTH: fc.constantFrom('', '0', 'yes'),
          },
          { requiredKeys: ['TOKEN'] },
        ),
      ),
      async (bytes, env) => {
        const result = await load(bytes, env);
        if (result instanceof ConfigError) {
          counts.rejections += 1;
          expect(result.problems.length).toBeGreaterThan(0);
          for (const problem of result.problems) {
            expect(problem).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}]/u);
            expect(problem).not.toContain(ENV.TOKEN);
          }
          return;
        }
        expect(result).not.toBeInstanceOf(Error);
        counts.configurations += 1;
      },
    ),
    runs(200),
  );
  expect(counts.configurations).toBeGreaterThan(0);
  expect(counts.rejections).toBeGreaterThan(0);
});

const TOKENS = {
  tokens: [
    {
      id: '0123456789ab',
      name: 'wall screen',
      hash: 'ab'.repeat(32),
      permissions: ['agents:read'],
      restriction: {
        serverIds: ['x'],
        serverTypes: ['RUV_SWARM'],
        agentTypes: null,
        swarmIds: null,
        performance: true,
        neural: false,
      },
      createdAt: '2026-11-23T15:00:00.000Z',
      expiresAt: null,
    },
  ],
};

test('for any token file: readTokenFile returns a list of tokens or one line that names the file', async () => {
  const file = join(directory, 'tokens.json');
  const texts = fc.oneof(
    mutatedJson(TOKENS).map((text) => Buffer.from(text)),
    mutatedText(JSON.stringify(TOKENS)).map((text) => Buffer.from(text)),
    garbage,
  );
  await fc.assert(
    fc.asyncProperty(texts, async (bytes) => {
      await writeFile(file, bytes);
      const result = await readTokenFile(file).catch((error: unknown) => error);
      if (Array.isArray(result)) return;
      expect(result).toBeInstanceOf(TokenFileError);
      expect(String(result)).toContain(file);
      expect(String(result)).not.toContain('\n');
    }),
    runs(150),
  );
});
