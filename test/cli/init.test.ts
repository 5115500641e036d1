import { readFile, readdir, stat, symlink } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/config/index.js';
import { simulated } from '../upstream/discovery/listeners.js';
import { TemporaryDirectory } from '../support/temporary-directory.js';
import { type CommandOptions, type CommandOutcome, runInProcess } from './run-command.js';

const FILE = 'project/swarmlens.config.json';

let directory: TemporaryDirectory;

beforeEach(async () => {
  directory = await TemporaryDirectory.create();
  await directory.write('home/.codex/config.toml', '');
});

afterEach(() => directory[Symbol.asyncDispose]());

const environment = (env: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv => ({ HOME: directory.path('home'), ...env });

/** Runs the command in a project. Without ports, it probes one on which nothing listens. */
function init(flags: readonly string[], options: Omit<CommandOptions, 'cwd'> = {}): Promise<CommandOutcome> {
  const ports = flags.includes('--port') ? [] : ['--port', '1'];
  return runInProcess(['init', ...ports, ...flags], {
    ...options,
    cwd: directory.path('project'),
    env: environment(options.env),
  });
}

async function writeClientFile(mcpServers: object): Promise<void> {
  await directory.write('project/.mcp.json', JSON.stringify({ mcpServers }));
}

async function written(): Promise<unknown> {
  return JSON.parse(await readFile(directory.path(FILE), 'utf8'));
}

const names = (): Promise<readonly string[]> => readdir(directory.path('project'));

describe('swarmlens init', () => {
  test('shows and writes the servers of the project and the coding agents', async () => {
    await writeClientFile({ flow: { command: 'npx', args: ['claude-flow', 'mcp', 'start'] } });
    const { code, stdout } = await init(['--yes']);
    expect(code).toBe(0);
    const content = await readFile(directory.path(FILE), 'utf8');
    expect(stdout).toContain(content);
    expect(JSON.parse(content)).toEqual({
      mcpServers: { flow: { command: 'npx', args: ['claude-flow', 'mcp', 'start'] } },
      swarmlens: { observe: ['codex'] },
    });
    expect((await stat(directory.path(FILE))).mode & 0o777).toBe(0o600);
    expect(await names()).toEqual(['.mcp.json', 'swarmlens.config.json']);
  });

  test('writes the servers on ports', async () => {
    await directory.write('project/readme', '');
    await using server = await simulated('daa', 'http');
    await init(['--yes', '--port', `${server.port}`]);
    expect(await written()).toMatchObject({
      mcpServers: { 'daa-mcp': { type: 'http', url: `http://localhost:${server.port}/mcp` } },
    });
  });

  test.each([
    ['y\n', true],
    ['YES\n', true],
    ['n\n', false],
    ['\n', false],
    ['', false],
    ['yess\n', false],
  ])('asks in a terminal, and on the answer %j writes the file: %j', async (typed, isWritten) => {
    await writeClientFile({ flow: { command: 'a' } });
    const { code, stdout } = await init([], { typed });
    expect(stdout).toMatch(/"flow"[^]*Write this file\? \[y\/N\]/);
    expect(code).toBe(0);
    expect(await names()).toEqual(isWritten ? ['.mcp.json', 'swarmlens.config.json'] : ['.mcp.json']);
  });

  test('writes nothing without a terminal and without --yes', async () => {
    await writeClientFile({ flow: { command: 'a' } });
    const { code, stdout, stderr } = await init([]);
    expect(stdout).toContain('"flow"');
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(/^swarmlens init: .*pass --yes/) });
    expect(await names()).toEqual(['.mcp.json']);
  });

  test.each(['a file', 'a link to nothing'])('does not replace %s', async (kind) => {
    await writeClientFile({ flow: { command: 'a' } });
    if (kind === 'a file') await directory.write(FILE, 'mine');
    else await symlink('nothing', directory.path(FILE));
    const { code, stderr } = await init(['--yes']);
    expect(code).toBe(2);
    expect(stderr).toContain('swarmlens.config.json exists already');
    expect(await names()).toEqual(['.mcp.json', 'swarmlens.config.json']);
    if (kind === 'a file') expect(await readFile(directory.path(FILE), 'utf8')).toBe('mine');
  });

  test('writes nothing when nothing is found', async () => {
    await directory.write('project/readme', '');
    const { code, stderr } = await init(['--yes'], { env: { CODEX_HOME: directory.path('none') } });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^Nothing found to write/);
    expect(await names()).toEqual(['readme']);
  });

  test('refers to variables that are set instead of copying their values', async () => {
    await writeClientFile({
      flow: { command: 'a', env: { API_KEY: 'value-in-file', DEBUG: '1' } },
      web: { url: 'http://127.0.0.1:1/mcp', headers: { Authorization: 'Bearer ${API_KEY}' } },
    });
    await init(['--yes'], { env: { API_KEY: 'value-in-environment' } });
    expect(await written()).toMatchObject({
      mcpServers: {
        flow: { env: { API_KEY: '${API_KEY}', DEBUG: '1' } },
        web: { headers: { Authorization: 'Bearer ${API_KEY}' } },
      },
    });
  });

  test.each<[string, object]>([
    ['a variable that is not set', { command: 'a', env: { API_KEY: 'hidden-value' } }],
    ['a generated value under another name', { command: 'a', env: { THING: 'aB3dE5fG7hI9jK1lM3nO5' } }],
    ['a default of a variable', { command: 'a', env: { API_KEY: '${API_KEY:-hidden-value}' } }],
    ['an argument', { command: 'a', args: ['--api-key', 'hidden-value'] }],
    ['an assignment in an argument', { command: 'a', args: ['--token=hidden-value'] }],
    ['a command with arguments', { command: 'a --token hidden-value' }],
    ['a header', { url: 'http://127.0.0.1:1/mcp', headers: { Authorization: 'Bearer hidden-value' } }],
    ['a header of another name', { url: 'http://127.0.0.1:1/mcp', headers: { 'X-Api-Key': 'hidden-value' } }],
    ['a parameter of a URL', { url: 'http://127.0.0.1:1/mcp?api_key=hidden-value' }],
    ['a password in a URL', { url: 'http://me:hidden-value@127.0.0.1:1/mcp' }],
    ['a token', { host: '127.0.0.1', port: 1, token: 'hidden-value' }],
    ['a password in a variable', { command: 'a', env: { DATABASE_URL: 'postgres://me:hidden-value@db/x' } }],
    [
      'a header of a replica',
      { command: 'a', swarmlens: { replicas: [{ url: 'http://h/mcp', headers: { Authorization: 'hidden-value' } }] } },
    ],
  ])('leaves out a server with a secret in %s, and does not print it', async (_name, entry) => {
    await writeClientFile({ mine: entry, other: { command: 'b' } });
    const { stdout, stderr } = await init(['--yes']);
    const file = await readFile(directory.path(FILE), 'utf8');
    expect(stdout).toMatch(/^Skipped "mine": "[\w.]+" may (?:be|contain) a secret\. .+\.$/m);
    for (const text of [stdout, stderr, file]) expect(text).not.toMatch(/hidden-value|aB3dE5fG7hI9jK1lM3nO5/);
    expect(JSON.parse(file)).toMatchObject({ mcpServers: { other: { command: 'b' } } });
  });

  test.each<[string, object, RegExp]>([
    ['is disabled', { command: 'a', disabled: true }, /it is disabled/],
    ['has no address', { args: [] }, /expected "command", "url", or "host"/],
    [
      'refers to a variable that is not set',
      { command: 'a', env: { TOKEN: '${UNSET_TOKEN}' } },
      /UNSET_TOKEN is not set/,
    ],
    ['has mistakes in its options', { command: 'a', swarmlens: { maxPollHz: -1 } }, /maxPollHz: is -1/],
    ['is a tap', { command: 'swarmlens', args: ['tap', '--server', 'x', '--', 'y'] }, /it is a tap/],
    ['uses OAuth', { url: 'http://127.0.0.1:1/mcp', oauth: {} }, /OAuth/],
    ['is the same as another', { command: 'b' }, /is the same server as/],
  ])('leaves out a server that %s', async (_name, entry, reason) => {
    await writeClientFile({ other: { command: 'b' }, mine: entry });
    const { code, stdout } = await init(['--yes']);
    expect(code).toBe(0);
    expect(stdout).toMatch(reason);
    expect(await written()).toMatchObject({ mcpServers: { other: { command: 'b' } } });
    expect(Object.keys(((await written()) as { mcpServers: object }).mcpServers)).toEqual(['other']); // the shape above
  });

  test('writes a file that loads without warnings, whatever the names of the servers', async () => {
    await writeClientFile({
      codex: { command: 'codex', args: ['mcp'] },
      'plugin:x': { command: 'x' },
      mine: { command: 'swarmlens', args: ['observe', 'codex'] },
      folder: { command: 'z', cwd: '${workspaceFolder}/sub' },
    });
    await directory.write('home/.claude/settings.json', '{}');
    const { stdout } = await init(['--yes']);
    expect(stdout).toContain('Named "codex" "codex-2"');
    const config = await loadConfig({
      flags: {},
      env: environment(),
      cwd: directory.path('project'),
      program: '/main.js',
    });
    expect(config.warnings).toEqual([]);
    // The observer of Codex is one of the servers already.
    expect(config.servers.map(({ id }) => id)).toEqual(['codex-2', 'plugin-x', 'mine', 'folder', 'claude-code']);
  });

  test('reports a file that cannot be parsed, and writes the rest', async () => {
    await directory.write('project/.mcp.json', '{');
    const { code, stdout } = await init(['--yes']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Skipped .*\.mcp\.json: /m);
    expect(await written()).toEqual({ mcpServers: {}, swarmlens: { observe: ['codex'] } });
  });
});
