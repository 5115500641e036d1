import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Config, ConfigError, type Flags, loadConfig } from '../../src/config/index.js';

let directory: string;
let files = 0;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'swarmlens-test-'));
});

afterAll(async () => {
  await rm(directory, { recursive: true, force: true });
});

interface Given {
  readonly flags?: Flags;
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
  const text = typeof config === 'string' ? config : JSON.stringify(config);
  const error: unknown = await load(text, given).then(
    () => null,
    (reason: unknown) => reason,
  );
  if (error instanceof ConfigError) return error.problems;
  throw new Error(`no ConfigError but ${String(error)}`);
}

describe('a valid configuration', () => {
  test("an existing .mcp.json works as it is: other programs' keys are let through, a disabled server is left out", async () => {
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
        allowTools: [],
        timeoutMs: 3_000,
        connectTimeoutMs: 30_000,
      },
      expect.objectContaining({
        id: 'swarm',
        endpoint: { type: 'http', url: 'http://127.0.0.1:3000/mcp', headers: { a: 'b' } },
      }),
      expect.objectContaining({ id: 'older', endpoint: expect.objectContaining({ type: 'sse' }) }),
    ]);
  });

  test("a server's own options, and a working directory relative to the file", async () => {
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

  test('no servers at all is valid: taps may join', async () => {
    expect(await load('{"mcpServers":{}}')).toMatchObject({ servers: [], demo: false });
  });

  test('without any configuration: the three simulators, whose spawning tools may be called', async () => {
    const config = await load(null);
    expect(config).toMatchObject({ demo: true, host: '127.0.0.1', port: 4000, bus: 'memory' });
    expect(config.servers.map(({ id }) => id)).toEqual(['claude-flow', 'ruv-swarm', 'daa']);
    expect(config.servers[0]).toMatchObject({
      endpoint: { command: process.execPath, args: ['/program/main.js', 'simulate', '--type', 'claude-flow'] },
      allowTools: expect.arrayContaining(['agent_spawn']),
    });
  });

  test('--demo beats a file', async () => {
    expect(await load('{"mcpServers":{}}', { flags: { demo: true } })).toMatchObject({ demo: true });
  });

  test('flags beat the environment, the environment beats the file', async () => {
    const text = JSON.stringify({ mcpServers: {}, swarmlens: { port: 1, host: 'localhost', logLevel: 'debug' } });
    expect(await load(text)).toMatchObject({ port: 1, host: 'localhost', logLevel: 'debug' });
    const env = { PORT: '2', HOST: '::1', LOG_LEVEL: 'error' };
    expect(await load(text, { env })).toMatchObject({ port: 2, host: '::1', logLevel: 'error' });
    const flags = { port: '0', host: '127.0.0.2' };
    expect(await load(text, { env, flags })).toMatchObject({ port: 0, host: '127.0.0.2' });
  });

  test('the file is named by SWARMLENS_CONFIG when no flag names it', async () => {
    await writeFile(join(directory, 'named.json'), '{"mcpServers":{},"swarmlens":{"port":7}}');
    expect(await load(null, { env: { SWARMLENS_CONFIG: 'named.json' } })).toMatchObject({ port: 7 });
  });

  test('${VAR} is taken from the environment, ${VAR:-default} has a default', async () => {
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

describe('mistakes: one line each, naming the key and the value', () => {
  const server = (entry: object): object => ({ mcpServers: { s: entry } });
  test.each<[string, unknown, Given, readonly (string | RegExp)[]]>([
    ['no JSON', '{', {}, [/^\/.*config-\d+\.json: is not JSON – /]],
    ['no mcpServers', {}, {}, [/^mcpServers: is missing – /]],
    ['an entry that is no object', { mcpServers: { s: 3 } }, {}, [/^mcpServers\.s: is 3 – expected an object/]],
    ['neither command nor url', server({}), {}, [/^mcpServers\.s: expected "command" .* or "url"/]],
    [
      'a wrong type of a value',
      server({ command: 'x', args: 'y' }),
      {},
      [/^mcpServers\.s\.args: is "y" – .*expected array/],
    ],
    ['a url that is none', server({ url: 'nonsense' }), {}, [/^mcpServers\.s\.url: is "nonsense" – /]],
    [
      'a transport still to come',
      server({ type: 'tcp', host: 'x', port: 1 }),
      {},
      [/^mcpServers\.s\.type: is "tcp" – this version supports stdio, http and sse/],
    ],
    [
      'an unknown option',
      server({ command: 'x', swarmlens: { maxPolHz: 1 } }),
      {},
      ['mcpServers.s.swarmlens.maxPolHz: there is no such option, did you mean "maxPollHz"?'],
    ],
    [
      'a rate of 0',
      server({ command: 'x', swarmlens: { maxPollHz: 0 } }),
      {},
      [/^mcpServers\.s\.swarmlens\.maxPollHz: is 0 – /],
    ],
    [
      'an unknown family',
      server({ command: 'x', swarmlens: { serverType: 'X' } }),
      {},
      [/^mcpServers\.s\.swarmlens\.serverType: is "X" – .*CLAUDE_FLOW/],
    ],
    ['a name with a colon', { mcpServers: { 'a:b': { command: 'x' } } }, {}, [/^mcpServers\."a:b": .*no colon/]],
    [
      'a secret of a wrong type',
      server({ url: 'http://x/', headers: { authorization: ['s3cret'] } }),
      {},
      [/^mcpServers\.s\.headers\.authorization: \*\*\* – /],
    ],
    [
      'a variable that is not set',
      server({ command: '${NOT_SET}' }),
      {},
      [/^mcpServers\.s\.command: the environment has no variable NOT_SET/],
    ],
    [
      'an unknown option of ours',
      { mcpServers: {}, swarmlens: { prot: 1 } },
      {},
      ['swarmlens.prot: there is no such option, did you mean "port"?'],
    ],
    [
      'a bus that is not there yet',
      { mcpServers: {}, swarmlens: { bus: 'redis://x' } },
      {},
      [/^swarmlens\.bus: is "redis:\/\/x" – /],
    ],
    [
      'a host beyond loopback in the file',
      { mcpServers: {}, swarmlens: { host: '0.0.0.0' } },
      {},
      [/^swarmlens\.host: is "0\.0\.0\.0" – without authentication/],
    ],
    ['a host beyond loopback in the environment', { mcpServers: {} }, { env: { HOST: '::' } }, [/^HOST: is "::" – /]],
    ['a port that is no number', { mcpServers: {} }, { flags: { port: 'http' } }, [/^--port: is "http" – /]],
    ['a port that is empty', { mcpServers: {} }, { env: { PORT: '' } }, [/^PORT: is "" – /]],
    ['an unknown log level', { mcpServers: {} }, { env: { LOG_LEVEL: 'loud' } }, [/^LOG_LEVEL: is "loud" – /]],
    [
      'several at once',
      { mcpServers: { a: {}, b: { command: 1 } }, swarmlens: { port: -1 } },
      {},
      [/^mcpServers\.a: /, /^mcpServers\.b\.command: is 1/, /^swarmlens\.port: is -1/],
    ],
  ])('%s', async (_name, config, given, expected) => {
    const found = await problems(config, given);
    expect(found).toHaveLength(expected.length);
    found.forEach((problem, index) => {
      expect(problem).toMatch(expected[index] ?? /never/);
      expect(problem).not.toContain('\n');
      expect(problem).not.toContain('s3cret');
    });
  });

  test('a file that is named and not there', async () => {
    await expect(load(null, { flags: { config: 'nowhere.json' } })).rejects.toMatchObject({
      problems: [expect.stringMatching(/nowhere\.json: cannot be read – there is no such file/)],
    });
  });

  test('any JSON at all is a configuration or a list of mistakes', async () => {
    const anything = fc.oneof(
      fc.jsonValue(),
      fc.record({ mcpServers: fc.dictionary(fc.string(), fc.jsonValue()), swarmlens: fc.jsonValue() }),
      fc.record({
        mcpServers: fc.record({
          s: fc.record({ command: fc.jsonValue(), args: fc.jsonValue(), swarmlens: fc.jsonValue() }),
        }),
      }),
    );
    await fc.assert(
      fc.asyncProperty(anything, async (value) => {
        try {
          await load(JSON.stringify(value));
        } catch (error) {
          if (!(error instanceof ConfigError)) throw error;
          expect(error.problems.length).toBeGreaterThan(0);
        }
      }),
    );
  });
});
