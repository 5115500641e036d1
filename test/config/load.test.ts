import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Config, ConfigError, type ConfigFlags, loadConfig } from '../../src/config/index.js';
import { runs } from '../support/fuzz-inputs.js';
import { mistakesOf } from './mistakes.js';

let directory: string;
let files = 0;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'swarmlens-test-'));
});

afterAll(async () => {
  await rm(directory, { recursive: true, force: true });
});

interface Given {
  readonly flags?: ConfigFlags;
  readonly env?: NodeJS.ProcessEnv;
}

async function load(text: string | null, { flags = {}, env = {} }: Given = {}): Promise<Config> {
  files += 1;
  const file = `config-${files}.json`;
  if (text !== null) await writeFile(join(directory, file), text);
  const named = text === null ? {} : { config: file };
  return loadConfig({ flags: { ...named, ...flags }, env, cwd: directory, program: '/program/main.js' });
}

async function problems(config: unknown, given: Given = {}): Promise<readonly string[]> {
  return mistakesOf(load(typeof config === 'string' ? config : JSON.stringify(config), given));
}

describe('loadConfig', () => {
  test('reads replicas of any transport, leaves out disabled ones, and fills in the defaults of other options', async () => {
    const { servers } = await load(
      JSON.stringify({
        mcpServers: {
          s: {
            type: 'tcp',
            host: '127.0.0.1',
            port: 9500,
            swarmlens: {
              replicas: [
                { type: 'tcp', host: '127.0.0.1', port: 9501, token: '${TOKEN}' },
                { command: 'x', cwd: 'there' },
                { url: 'http://x/mcp', disabled: true },
              ],
              sticky: false,
              breaker: { failures: 2 },
              restart: { maxAttempts: null },
            },
          },
          alone: { command: 'x', swarmlens: { replicas: [] } },
        },
      }),
      { env: { TOKEN: 'filled-in' } },
    );
    expect(servers[0]).toMatchObject({
      replicas: [
        { type: 'tcp', host: '127.0.0.1', port: 9501, token: 'filled-in' },
        { type: 'stdio', command: 'x', args: [], cwd: join(directory, 'there'), env: {} },
      ],
      sticky: false,
      breaker: { failures: 2, initialMs: 1_000, maxMs: 30_000 },
      restart: { initialMs: 500, maxMs: 30_000, maxAttempts: null },
    });
    expect(servers[1]).toMatchObject({
      replicas: [],
      sticky: null,
      breaker: { failures: 5, initialMs: 1_000, maxMs: 30_000 },
      restart: { initialMs: 500, maxMs: 30_000, maxAttempts: 20 },
    });
  });

  test.each([
    ['with a colon', 'a:b', 'a-b'],
    ['that is empty', '', 'server'],
    ['of 65 characters', 'a'.repeat(65), 'a'.repeat(58)],
    ['with a line break', 'a\nb', 'a-b'],
    ['that becomes the name of another entry', 'x:y', 'x-y-2'],
  ])('gives an entry with a name %s an id', async (_name, name, id) => {
    const { servers, warnings } = await load(
      JSON.stringify({ mcpServers: { 'x-y': { command: 'other' }, [name]: { command: 'x' } } }),
    );
    expect(servers.map((server) => server.id)).toEqual(['x-y', id]);
    expect(warnings).toEqual([expect.stringContaining(`: is shown as "${id}", because an id has 1 to 64 characters`)]);
  });

  test('removes the agents of an offline server after five minutes by default', async () => {
    const after = async (own: object): Promise<unknown> =>
      (await load(JSON.stringify({ mcpServers: {}, swarmlens: own }))).removeAfterMs;
    expect([await after({}), await after({ removeAfterMs: 7 }), await after({ removeAfterMs: null })]).toEqual([
      300_000,
      7,
      null,
    ]);
  });

  test('reads an existing .mcp.json, ignoring keys of other programs and disabled servers', async () => {
    const config = await load(
      JSON.stringify({
        $schema: 'x',
        mcpServers: {
          flow: {
            command: 'npx',
            args: ['claude-flow', 'mcp', 'start'],
            alwaysAllow: ['x'],
            timeout: 60,
            description: 'x',
          },
          off: { command: 'x', disabled: true },
          swarm: { url: 'http://127.0.0.1:3000/mcp', headers: { a: 'b' } },
          older: { type: 'sse', url: 'http://127.0.0.1:3000/sse' },
        },
      }),
    );
    expect(config.demo).toBe(false);
    expect(config.servers).toEqual([
      {
        id: 'flow',
        endpoint: { type: 'stdio', command: 'npx', args: ['claude-flow', 'mcp', 'start'], cwd: directory, env: {} },
        serverType: null,
        maxPollHz: 60,
        maxPollShare: 0.5,
        allowTools: [],
        timeoutMs: 3_000,
        connectTimeoutMs: 120_000,
        mapping: null,
        replicas: [],
        sticky: null,
        breaker: { failures: 5, initialMs: 1_000, maxMs: 30_000 },
        restart: { initialMs: 500, maxMs: 30_000, maxAttempts: 20 },
      },
      expect.objectContaining({
        id: 'swarm',
        endpoint: { type: 'http', url: 'http://127.0.0.1:3000/mcp', headers: { a: 'b' } },
      }),
      expect.objectContaining({ id: 'older', endpoint: expect.objectContaining({ type: 'sse' }) }),
    ]);
  });

  test('reads the options of a server, and its working directory relative to the file', async () => {
    const swarmlens = {
      serverType: 'RUV_SWARM',
      maxPollHz: 10,
      allowTools: ['swarm_init'],
      timeoutMs: 5,
      connectTimeoutMs: 6,
    };
    const { servers } = await load(JSON.stringify({ mcpServers: { s: { command: 'x', cwd: 'sub', swarmlens } } }));
    expect(servers[0]).toMatchObject({ ...swarmlens, endpoint: { cwd: join(directory, 'sub') } });
  });

  test('ignores unset variables of a disabled server', async () => {
    const s = { command: 'x', disabled: true, env: { A: '${NOT_SET}' } };
    expect(await load(JSON.stringify({ mcpServers: { s } }))).toMatchObject({ servers: [] });
  });

  test('accepts any value in keys of other programs', async () => {
    const s = { command: 'x', description: '${NOT_SET}', alwaysAllow: [[{ a: 1 }]] };
    expect(await load(JSON.stringify({ inputs: ['${NOT_SET}'], mcpServers: { s } }))).toMatchObject({
      servers: [{ id: 's' }],
    });
  });

  test('accepts a byte order mark, $schema and empty sections', async () => {
    const text = '\uFEFF{"$schema":"x","mcpServers":{},"swarmlens":{"auth":{},"limits":{}}}';
    expect(await load(text)).toMatchObject({ servers: [], demo: false });
  });

  test('accepts a configuration without servers, because taps may join', async () => {
    expect(await load('{"mcpServers":{}}')).toMatchObject({ servers: [], demo: false });
  });

  test('returns the three simulators without a file, with their spawning tools allowed', async () => {
    const config = await load(null);
    expect(config).toMatchObject({
      demo: true,
      host: '127.0.0.1',
      port: 4000,
      bus: 'memory',
      busPrefix: 'swarmlens',
      busKeys: [],
      busTls: null,
      leaseMs: 2_000,
    });
    expect(config.servers.map(({ id }) => id)).toEqual(['claude-flow', 'ruv-swarm', 'daa']);
    expect(config.servers[0]).toMatchObject({
      endpoint: { command: process.execPath, args: ['/program/main.js', 'simulate', '--type', 'claude-flow'] },
      allowTools: expect.arrayContaining(['agent_spawn']),
    });
  });

  test('prefers --demo to a file', async () => {
    expect(await load('{"mcpServers":{}}', { flags: { demo: true } })).toMatchObject({ demo: true });
  });

  test('prefers flags to the environment, and the environment to the file', async () => {
    const text = JSON.stringify({ mcpServers: {}, swarmlens: { port: 1, host: 'localhost', logLevel: 'debug' } });
    expect(await load(text)).toMatchObject({ port: 1, host: 'localhost', logLevel: 'debug' });
    const env = { PORT: '2', HOST: '::1', LOG_LEVEL: 'error' };
    expect(await load(text, { env })).toMatchObject({ port: 2, host: '::1', logLevel: 'error' });
    const flags = { port: '0', host: '127.0.0.2' };
    expect(await load(text, { env, flags })).toMatchObject({ port: 0, host: '127.0.0.2' });
  });

  test('reads the file named by SWARMLENS_CONFIG without a flag', async () => {
    await writeFile(join(directory, 'named.json'), '{"mcpServers":{},"swarmlens":{"port":7}}');
    expect(await load(null, { env: { SWARMLENS_CONFIG: 'named.json' } })).toMatchObject({ port: 7 });
  });

  test('expands ${VAR} from the environment, and ${VAR:-default} to its default', async () => {
    const text = JSON.stringify({
      mcpServers: {
        s: { url: 'http://127.0.0.1:${SWARM_PORT:-3000}/mcp', headers: { authorization: 'Bearer ${TOKEN}' } },
      },
    });
    const { servers } = await load(text, { env: { TOKEN: 'secret' } });
    expect(servers[0]?.endpoint).toEqual({
      type: 'http',
      url: 'http://127.0.0.1:3000/mcp',
      headers: { authorization: 'Bearer secret' },
    });
  });
});

describe('loadConfig: endpoint of a server', () => {
  test.each<[string, object, object]>([
    ['over TCP', { type: 'tcp', host: 'x', port: 1 }, { type: 'tcp', host: 'x', port: 1, token: null }],
    ['over TCP, by host and port alone', { host: '::1', port: 65_535 }, { type: 'tcp', host: '::1' }],
    ['over TCP with a token', { host: 'x', port: 1, token: '${TOKEN}' }, { type: 'tcp', token: 's3cret' }],
    ['over a WebSocket', { type: 'ws', url: 'wss://x/y' }, { type: 'ws', url: 'wss://x/y', headers: {} }],
    [
      'over a WebSocket, by its address alone, with a header',
      { url: '${RELAY}', headers: { Authorization: 'Bearer ${TOKEN}' } },
      { type: 'ws', url: 'WS://x:3002', headers: { Authorization: 'Bearer s3cret' } },
    ],
    ["with another program's host", { url: 'http://x/', host: 7 }, { type: 'http', url: 'http://x/', headers: {} }],
  ])('%s', async (_name, s, endpoint) => {
    const env = { TOKEN: 's3cret', RELAY: 'WS://x:3002' };
    const { servers } = await load(JSON.stringify({ mcpServers: { s } }), { env });
    expect(servers[0]?.endpoint).toMatchObject(endpoint);
  });
});

describe('loadConfig: one line per mistake with key and value', () => {
  const server = (entry: object): object => ({ mcpServers: { s: entry } });
  const own = (swarmlens: object): object => ({ mcpServers: {}, swarmlens });
  const LOOPBACK_ONLY =
    'only loopback is allowed without authentication: set swarmlens.auth, use 127.0.0.1, ::1 or localhost, or pass --insecure-no-auth to accept every client';
  test.each<[string, unknown, Given, readonly string[]]>([
    [
      'no mcpServers',
      {},
      {},
      [
        'mcpServers: is missing – expected an object of servers ("servers", "mcp", "context_servers", "mcp_servers", "amp.mcpServers", "augment.advanced", "experimental" are read, too)',
      ],
    ],
    [
      'a file that is not an object',
      '[]',
      {},
      [expect.stringMatching(/config-\d+\.json: is a list – expected an object with "mcpServers"$/)],
    ],
    [
      'an entry that is not an object',
      { mcpServers: { s: 3 } },
      {},
      ['mcpServers.s: is 3 – expected an object with "command", "url" or "host"'],
    ],
    ['neither command nor url', server({}), {}, ['mcpServers.s: expected "command", "url", or "host" and "port"']],
    [
      'a wrong type of a value',
      server({ command: 'x', args: 'y' }),
      {},
      ['mcpServers.s.args: is "y" – expected a list'],
    ],
    [
      'an empty command',
      server({ command: '' }),
      {},
      ['mcpServers.s.command: is "" – expected text that is not empty'],
    ],
    [
      'an invalid URL',
      server({ url: 'nonsense' }),
      {},
      ['mcpServers.s.url: is "nonsense" – expected a URL with http:// or https://, or ws:// or wss:// for a WebSocket'],
    ],
    [
      'a WebSocket with an HTTP URL',
      server({ type: 'ws', url: 'http://x/' }),
      {},
      ['mcpServers.s.url: is "http://x/" – expected a URL with ws:// or wss://'],
    ],
    [
      'HTTP with a WebSocket URL',
      server({ type: 'http', url: 'ws://x/' }),
      {},
      ['mcpServers.s.url: is "ws://x/" – expected a URL with http:// or https://, or "type": "ws"'],
    ],
    [
      'TCP without an address',
      server({ type: 'tcp', url: 'tcp://x:1' }),
      {},
      [
        'mcpServers.s.host: is missing – expected text',
        'mcpServers.s.port: is missing – expected a whole number from 1 to 65535',
      ],
    ],
    [
      'a host without a port and with a contradicting type',
      server({ type: 'htp', host: 'x', port: '9500' }),
      {},
      ['mcpServers.s.type: is "htp" – expected stdio, http, sse, tcp or ws, did you mean "http"?'],
    ],
    [
      'an unset variable in a token',
      server({ host: 'x', port: 1, token: '${NOT_SET}' }),
      {},
      ['mcpServers.s.token: environment variable NOT_SET is not set – set a value, or write ${NOT_SET:-default}'],
    ],
    [
      'an unknown transport',
      server({ type: 'htp', url: 'http://x/' }),
      {},
      ['mcpServers.s.type: is "htp" – expected stdio, http, sse, tcp or ws, did you mean "http"?'],
    ],
    [
      'a transport that contradicts the command',
      server({ type: 'http', command: 'x' }),
      {},
      ['mcpServers.s.type: is "http" – expected stdio, because there is a "command"'],
    ],
    [
      'invalid replicas',
      server({
        command: 'x',
        swarmlens: {
          replicas: [
            { type: 'tcp', host: 'x', port: 0 },
            7,
            {},
            { url: 'http://x/', swarmlens: { maxPollHz: 1 } },
            { command: 'y', agrs: [] },
            { url: 'https://x/', headers: { a: 'secret-value', b: [7] } },
          ],
        },
      }),
      {},
      [
        'mcpServers.s.swarmlens.replicas.0.port: is 0 – expected a whole number from 1 to 65535',
        'mcpServers.s.swarmlens.replicas.1: is 7 – expected an object with "command", "url" or "host"',
        'mcpServers.s.swarmlens.replicas.2: expected "command", "url", or "host" and "port"',
        'mcpServers.s.swarmlens.replicas.3.swarmlens: is an object – not allowed, because a replica has the options of its server',
        'mcpServers.s.swarmlens.replicas.4.agrs: unknown option, did you mean "args"?',
        'mcpServers.s.swarmlens.replicas.5.headers.b: is *** – expected text',
      ],
    ],
    [
      'an unset variable in a replica',
      server({ command: 'x', swarmlens: { replicas: [{ command: '${NOT_SET}' }] } }),
      {},
      [
        'mcpServers.s.swarmlens.replicas.0.command: environment variable NOT_SET is not set – set a value, or write ${NOT_SET:-default}',
      ],
    ],
    [
      'replicas that are not a list, and sticky that is not a boolean',
      server({ command: 'x', swarmlens: { replicas: {}, sticky: 'yes' } }),
      {},
      [
        'mcpServers.s.swarmlens.replicas: is an object – expected a list',
        'mcpServers.s.swarmlens.sticky: is "yes" – expected true or false',
      ],
    ],
    [
      'invalid options of breaker and restart',
      server({
        command: 'x',
        swarmlens: { breaker: { failures: 0, initalMs: 1 }, restart: { maxAttempts: 'never', maxMs: 0.5 } },
      }),
      {},
      [
        'mcpServers.s.swarmlens.breaker.failures: is 0 – expected a whole number from 1 to 1000',
        'mcpServers.s.swarmlens.breaker.initalMs: is 1 – unknown option, did you mean "initialMs"?',
        'mcpServers.s.swarmlens.restart.maxMs: is 0.5 – expected milliseconds, a whole number from 1 to 3600000',
        'mcpServers.s.swarmlens.restart.maxAttempts: is "never" – expected null or a whole number from 1 to 1000000',
      ],
    ],
    [
      'a maximum delay below the initial delay',
      server({ command: 'x', swarmlens: { breaker: { maxMs: 10 }, restart: { initialMs: 60_000 } } }),
      {},
      [
        'mcpServers.s.swarmlens.breaker.maxMs: is 10 – expected at least the value of "initialMs", 1000',
        'mcpServers.s.swarmlens.restart.maxMs: is 30000 – expected at least the value of "initialMs", 60000',
      ],
    ],
    [
      'a removal delay longer than the longest timer',
      { mcpServers: {}, swarmlens: { removeAfterMs: 2_000_000_001 } },
      {},
      ['swarmlens.removeAfterMs: is 2000000001 – expected null or milliseconds, a whole number from 1 to 2000000000'],
    ],
    [
      'an unknown option',
      server({ command: 'x', swarmlens: { maxPolHz: 1 } }),
      {},
      ['mcpServers.s.swarmlens.maxPolHz: is 1 – unknown option, did you mean "maxPollHz"?'],
    ],
    [
      'an option of the program in a server',
      server({ command: 'x', swarmlens: { port: 1 } }),
      {},
      ['mcpServers.s.swarmlens.port: is 1 – unknown option, it belongs under "swarmlens" beside "mcpServers"'],
    ],
    [
      'an option of a server in the program',
      own({ maxPollHz: 1 }),
      {},
      [`swarmlens.maxPollHz: is 1 – unknown option, it belongs under a server's own "swarmlens"`],
    ],
    [
      'a misspelled "swarmlens"',
      { mcpServers: { s: { command: 'x', swarmlnes: {} } }, swarmlense: {} },
      {},
      [
        'swarmlense: unknown option, did you mean "swarmlens"?',
        'mcpServers.s.swarmlnes: unknown option, did you mean "swarmlens"?',
      ],
    ],
    [
      'a rate of 0',
      server({ command: 'x', swarmlens: { maxPollHz: 0 } }),
      {},
      ['mcpServers.s.swarmlens.maxPollHz: is 0 – expected a number above 0, at most 1000'],
    ],
    [
      'a rate of 0',
      server({ command: 'x', swarmlens: { maxPollShare: 1.5 } }),
      {},
      ['mcpServers.s.swarmlens.maxPollShare: is 1.5 – expected a number above 0, at most 1'],
    ],
    [
      'an unknown server type',
      server({ command: 'x', swarmlens: { serverType: 'X' } }),
      {},
      [
        'mcpServers.s.swarmlens.serverType: is "X" – expected one of CLAUDE_FLOW, RUV_SWARM, DAA, CLAUDE_CODE, CODEX, CUSTOM',
      ],
    ],
    [
      'an unset variable in a URL, as one mistake',
      server({ url: 'http://127.0.0.1:${NOT_SET}/' }),
      {},
      ['mcpServers.s.url: environment variable NOT_SET is not set – set a value, or write ${NOT_SET:-default}'],
    ],
    [
      'a variable named like a property of Object.prototype',
      server({ command: '${constructor}' }),
      {},
      [
        'mcpServers.s.command: environment variable constructor is not set – set a value, or write ${constructor:-default}',
      ],
    ],
    [
      'an unknown option of the program',
      own({ prot: 1 }),
      {},
      ['swarmlens.prot: is 1 – unknown option, did you mean "port"?'],
    ],
    [
      'an invalid bus',
      own({ bus: 'amqp://x', busPrefix: 'a:b', leaseMs: 199 }),
      {},
      [
        'swarmlens.bus: is "amqp://x" – expected memory, or a URL of Redis: redis://[user:password@]host[:port][/db], redis+sentinel://[:password@]host[:port],…/master[/db] or redis+cluster://[:password@]host[:port],…, each also with rediss for TLS',
        'swarmlens.busPrefix: is "a:b" – expected 1 to 64 letters, digits, dots, hyphens or underscores',
        'swarmlens.leaseMs: is 199 – expected milliseconds, a whole number from 200 to 600000',
      ],
    ],
    [
      'limits that are out of range, of another type or misspelled',
      own({ limits: { maxDepth: 0, maxHeaderBytes: 1_023, graphiql: 1, maxAlias: 3 } }),
      {},
      [
        'swarmlens.limits.maxHeaderBytes: is 1023 – expected bytes, a whole number from 1024 to 1000000000',
        'swarmlens.limits.maxDepth: is 0 – expected a whole number from 1 to 1000',
        'swarmlens.limits.graphiql: is 1 – expected true or false',
        'swarmlens.limits.maxAlias: is 3 – unknown option, did you mean "maxAliases"?',
      ],
    ],
    [
      'numbers out of range',
      own({
        port: 70_000,
        heartbeatMs: 0,
        tombstones: 1.5,
        shutdownMs: 'x',
        compressFromBytes: -1,
        maxBufferedBytes: null,
        maxSlowMs: 0,
      }),
      {},
      [
        'swarmlens.port: is 70000 – expected a whole number from 0 to 65535',
        'swarmlens.heartbeatMs: is 0 – expected milliseconds, a whole number from 1 to 3600000',
        'swarmlens.tombstones: is 1.5 – expected a whole number from 0 to 10000000',
        'swarmlens.shutdownMs: is "x" – expected milliseconds, a whole number from 1 to 3600000',
        'swarmlens.compressFromBytes: is -1 – expected null or bytes, a whole number from 0 to 1000000000',
        'swarmlens.maxBufferedBytes: is null – expected bytes, a whole number from 0 to 1000000000',
        'swarmlens.maxSlowMs: is 0 – expected null or milliseconds, a whole number from 1 to 86400000',
      ],
    ],
    [
      'a host beyond loopback in the file',
      own({ host: '0.0.0.0' }),
      {},
      [`swarmlens.host: is "0.0.0.0" – ${LOOPBACK_ONLY}`],
    ],
    [
      'a host beyond loopback in the environment',
      own({}),
      { env: { HOST: '::' } },
      [`HOST: is "::" – ${LOOPBACK_ONLY}`],
    ],
    [
      'a host name that starts like a loopback address',
      own({}),
      { flags: { host: '127.0.0.1.example.org' } },
      [`--host: is "127.0.0.1.example.org" – ${LOOPBACK_ONLY}`],
    ],
    ...['http', '', '-1', '0x50', '1e3', '65536'].map((port): [string, unknown, Given, readonly string[]] => [
      `an invalid port: "${port}"`,
      own({}),
      { flags: { port } },
      [`--port: is "${port}" – expected a whole number from 0 (any free port) to 65535`],
    ]),
    [
      'an unknown log level',
      own({}),
      { env: { LOG_LEVEL: 'loud' } },
      ['LOG_LEVEL: is "loud" – expected one of silent, error, warn, info, debug'],
    ],
    [
      'several mistakes',
      { mcpServers: { a: {}, b: { command: 1, args: [2] } }, swarmlens: { port: -1 } },
      { env: { HOST: '0.0.0.0' } },
      [
        'mcpServers.a: expected "command", "url", or "host" and "port"',
        'mcpServers.b.command: is 1 – expected text',
        'swarmlens.port: is -1 – expected a whole number from 0 to 65535',
        `HOST: is "0.0.0.0" – ${LOOPBACK_ONLY}`,
      ],
    ],
    [
      'line breaks and escape sequences in keys and values, escaped',
      { mcpServers: { 'a\nb': { command: 1 } }, swarmlens: { 'x\u009b': 1 } },
      { env: { LOG_LEVEL: '\u001b[31m\n' } },
      [
        expect.stringMatching(/^mcpServers\."a\\nb": is shown as "a-b"/),
        'mcpServers."a\\nb".command: is 1 – expected text',
        'swarmlens."x\\u009b": is 1 – unknown option',
        'LOG_LEVEL: is "\\u001b[31m\\n" – expected one of silent, error, warn, info, debug',
      ],
    ],
  ])('%s', async (_name, config, given, expected) => {
    expect(await problems(config, given)).toEqual(expected);
  });

  test.each<[string, string, string]>([
    [
      'an unexpected token',
      '{\n  "mcpServers": {"s": {"headers": {"a": s3cret}}}\n}',
      'line 2, column 41: expected a value (a text needs double quotes)',
    ],
    ['a truncated text', '{"mcpServers": {"s": "s3cret"', 'line 1, column 30: '],
    ['an empty text', '', 'line 1, column 1: expected a value'],
  ])('reports line and column of %s in invalid JSON, without quoting it', async (_name, text, expected) => {
    const [problem, ...more] = await problems(text);
    expect(more).toEqual([]);
    expect(problem).toMatch(/config-\d+\.json: is not JSON – /);
    expect(problem).toContain(expected);
    expect(problem).not.toContain('3cret');
  });

  test.each<[string, unknown, Given]>([
    ['a header', server({ url: 'http://x/', headers: { a: ['s3cret'] } }), {}],
    ['a token', server({ host: 'x', port: 1, token: ['s3cret'] }), {}],
    ['all headers', server({ url: 'http://x/', headers: 's3cret' }), {}],
    ['an environment variable of a child', server({ command: 'x', env: { A: ['s3cret'] } }), {}],
    ['the password of a url', server({ url: 'htp://user:s3@cret@host/' }), {}],
    ['the password of a bus', own({ bus: 'redis://:s3cret@host/no/database' }), {}],
    ['a key of a bus', own({ busKeys: ['s3cret'] }), {}],
    ['the query of a url', server({ url: 'http://host:x/?key=s3cret' }), {}],
    ['the value of a variable', server({ url: '${WHERE}' }), { env: { WHERE: 's3cret' } }],
    ['a list where an object belongs', { mcpServers: [{ headers: { a: 's3cret' } }] }, {}],
    ['a list of options', { mcpServers: {}, swarmlens: ['s3cret'] }, {}],
    ['an unknown option', own({ apiKey: 's3cret' }), {}],
    ['authentication', own({ auth: 's3cret' }), {}],
    ['arguments in one text', server({ command: 'x', args: '--api-key=s3cret' }), {}],
  ])('hides the secret in %s', async (_name, config, given) => {
    const found = await problems(config, given);
    expect(found).toHaveLength(1);
    expect(found[0]).not.toMatch(/s3|cret/);
  });

  test('rejects a named file that does not exist', async () => {
    await expect(load(null, { flags: { config: 'nowhere.json' } })).rejects.toMatchObject({
      problems: [expect.stringMatching(/nowhere\.json: cannot be read – the file does not exist/)],
    });
  });

  test('rejects JSON that is nested deeper than the stack allows', async () => {
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    for (const text of [`{"mcpServers":{"s":{"command":"x","args":${deep}}}}`, `{"mcpServers":{},"swarmlens":${deep}}`])
      expect(await problems(text)).toEqual([expect.stringMatching(/is nested more than 100 levels deep$/)]);
  });

  test('for any JSON: returns a configuration on loopback or throws a list of mistakes, one line each', async () => {
    const value = fc.oneof(fc.jsonValue(), fc.string({ unit: 'binary' }), fc.constant('${A}'), fc.webUrl());
    const entry = fc.record(
      {
        type: fc.oneof(fc.constantFrom('stdio', 'http', 'sse', 'tcp', 'ws'), value),
        command: value,
        args: fc.oneof(fc.array(fc.string()), value),
        cwd: value,
        env: fc.oneof(fc.dictionary(fc.string(), fc.string()), value),
        url: value,
        headers: value,
        host: value,
        port: fc.oneof(fc.nat(), value),
        token: value,
        disabled: fc.oneof(fc.boolean(), value),
        swarmlens: fc.oneof(
          fc.dictionary(fc.constantFrom('serverType', 'maxPollHz', 'allowTools', 'replicas', 'x'), value),
          value,
        ),
      },
      { requiredKeys: [] },
    );
    const own = fc.dictionary(fc.constantFrom('port', 'host', 'bus', 'auth', 'limits', 'tombstones', 'prot'), value);
    const anything = fc.oneof(
      fc.jsonValue(),
      fc.record({ mcpServers: fc.dictionary(fc.string(), fc.oneof(entry, value)), swarmlens: fc.oneof(own, value) }),
    );
    await fc.assert(
      fc.asyncProperty(anything, async (json) => {
        const result = await load(JSON.stringify(json)).catch((error: unknown) => error);
        if (result instanceof ConfigError) {
          expect(result.problems.length).toBeGreaterThan(0);
          for (const problem of result.problems) expect(problem).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}]/u);
          return;
        }
        expect(result).toMatchObject({
          demo: false,
          host: expect.stringMatching(/^(127\.\d+\.\d+\.\d+|::1|localhost)$/),
        });
      }),
      runs(100),
    );
  });
});
