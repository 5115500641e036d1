import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Config, ConfigError, loadConfig } from '../../src/config/index.js';
import { collectSecrets, redact } from '../../src/shared/sanitize/index.js';

let root: string;
let count = 0;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'swarmlens-test-'));
});

afterAll(async () => {
  await rm(root, { recursive: true, force: true });
});

interface Loaded {
  readonly config: Config;
  /** Directory of the project. */
  readonly project: string;
  readonly file: string;
}

/** Loads a file of a project of its own. */
async function load(
  name: string,
  content: unknown,
  env: NodeJS.ProcessEnv = {},
  others: Readonly<Record<string, string>> = {},
): Promise<Loaded> {
  count += 1;
  const project = join(root, `project-${count}`);
  const files: Readonly<Record<string, string | Buffer>> = {
    ...others,
    [name]: typeof content === 'string' || Buffer.isBuffer(content) ? content : JSON.stringify(content, null, 2),
  };
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(project, path)), { recursive: true });
    await writeFile(join(project, path), text);
  }
  const file = join(project, name);
  const config = await loadConfig({ flags: { config: file }, env, cwd: root, program: '/program/main.js' });
  return { config, project, file };
}

function endpoints({ config }: Loaded): Readonly<Record<string, unknown>> {
  return Object.fromEntries(config.servers.map(({ id, endpoint }) => [id, endpoint]));
}

const stdio = (command: string, args: readonly string[] = [], env: Readonly<Record<string, string>> = {}): object => ({
  type: 'stdio',
  command,
  args,
  env,
});
const http = (url: string, headers: Readonly<Record<string, string>> = {}): object => ({ type: 'http', url, headers });

describe('files of MCP clients', () => {
  test.each<[string, string, unknown, Readonly<Record<string, object>>]>([
    [
      'Claude Desktop',
      'claude_desktop_config.json',
      {
        globalShortcut: 'Ctrl+Space',
        mcpServers: {
          filesystem: { command: 'npx', args: ['-y', '@modelcontextprotocol/server-filesystem', '/home/me'] },
          github: {
            command: 'docker',
            args: ['run', '-i', '--rm', '-e', 'GITHUB_TOKEN', 'ghcr.io/github/github-mcp-server'],
            env: { GITHUB_TOKEN: 'ghp_x' },
          },
        },
      },
      {
        filesystem: stdio('npx', ['-y', '@modelcontextprotocol/server-filesystem', '/home/me']),
        github: stdio('docker', ['run', '-i', '--rm', '-e', 'GITHUB_TOKEN', 'ghcr.io/github/github-mcp-server'], {
          GITHUB_TOKEN: 'ghp_x',
        }),
      },
    ],
    [
      'Claude Code',
      '.mcp.json',
      {
        mcpServers: {
          flow: { type: 'stdio', command: 'npx', args: ['claude-flow', 'mcp', 'start'], env: {} },
          remote: {
            type: 'http',
            url: '${BASE:-https://mcp.example}/mcp',
            headers: { Authorization: 'Bearer ${TOKEN}' },
          },
          older: { type: 'sse', url: 'https://mcp.example/sse' },
        },
      },
      {
        flow: stdio('npx', ['claude-flow', 'mcp', 'start']),
        remote: http('https://mcp.example/mcp', { Authorization: 'Bearer t0ken' }),
        older: { type: 'sse', url: 'https://mcp.example/sse' },
      },
    ],
    [
      'Cursor',
      '.cursor/mcp.json',
      {
        mcpServers: {
          local: {
            command: 'node',
            args: ['${workspaceFolder}/server.js', '--home', '${userHome}'],
            envFile: '${workspaceFolder}/.env',
            env: { LEVEL: '${env:LEVEL}' },
          },
          remote: { url: 'https://mcp.example/mcp', headers: { 'x-key': '${env:TOKEN}' } },
        },
      },
      {
        local: stdio('node', ['<project>/server.js', '--home', '/home/me'], { API_KEY: 'from-file', LEVEL: 'high' }),
        remote: http('https://mcp.example/mcp', { 'x-key': 't0ken' }),
      },
    ],
    [
      'VS Code',
      '.vscode/mcp.json',
      `{
        // Inputs are asked for once.
        "inputs": [{ "type": "promptString", "id": "key", "password": true }],
        "servers": {
          "fetch": { "type": "stdio", "command": "uvx", "args": ["mcp-server-fetch"], },
          "github": { "type": "http", "url": "https://api.githubcopilot.com/mcp/" }, /* hosted */
        },
      }`,
      { fetch: stdio('uvx', ['mcp-server-fetch']), github: http('https://api.githubcopilot.com/mcp/') },
    ],
    [
      'the settings of VS Code',
      'settings.json',
      { 'editor.fontSize': 14, mcp: { inputs: [], servers: { a: { command: 'uvx', args: ['a'] } } } },
      { a: stdio('uvx', ['a']) },
    ],
    [
      'Zed',
      '.zed/settings.json',
      `{
        "theme": "One Dark",
        "context_servers": {
          "custom": { "source": "custom", "command": "node", "args": ["s.js"], "env": {} },
          "older": { "command": { "path": "node", "args": ["t.js"], "env": { "A": "1" } }, "settings": {} },
        },
      }`,
      { custom: stdio('node', ['s.js']), older: stdio('node', ['t.js'], { A: '1' }) },
    ],
    [
      'OpenCode',
      'opencode.json',
      {
        $schema: 'https://opencode.ai/config.json',
        mcp: {
          local: { type: 'local', command: ['bun', 'x', 'server'], environment: { A: 'b' }, enabled: true },
          remote: { type: 'remote', url: 'https://mcp.example/mcp', headers: { Authorization: 'Bearer {env:TOKEN}' } },
          off: { type: 'local', command: ['x'], enabled: false },
          unauthenticated: { type: 'remote', url: 'https://b.example/mcp', oauth: false },
        },
      },
      {
        local: stdio('bun', ['x', 'server'], { A: 'b' }),
        remote: http('https://mcp.example/mcp', { Authorization: 'Bearer t0ken' }),
        unauthenticated: http('https://b.example/mcp'),
      },
    ],
    [
      'Codex',
      '.codex/config.toml',
      `model = "gpt-5"

[mcp_servers.docs]
command = "npx"
args = ["-y", "docs-server"]
env_vars = ["TOKEN"]
startup_timeout_sec = 20
[mcp_servers.docs.env]
A = "b"

[mcp_servers.remote]
url = "https://mcp.example/mcp"
bearer_token_env_var = "TOKEN"
http_headers = { "X-Region" = "eu" }
env_http_headers = { "X-Level" = "LEVEL" }

[mcp_servers.off]
command = "x"
enabled = false
`,
      {
        docs: stdio('npx', ['-y', 'docs-server'], { TOKEN: 't0ken', A: 'b' }),
        remote: http('https://mcp.example/mcp', {
          'X-Region': 'eu',
          'X-Level': 'high',
          Authorization: 'Bearer t0ken',
        }),
      },
    ],
    [
      'Gemini CLI',
      '.gemini/settings.json',
      {
        selectedAuthType: 'oauth-personal',
        mcpServers: {
          local: {
            command: 'python',
            args: ['-m', 'server'],
            env: { KEY: '$TOKEN' },
            cwd: './sub',
            timeout: 30000,
            trust: true,
          },
          stream: { httpUrl: 'https://mcp.example/mcp', headers: { Authorization: 'Bearer $TOKEN' }, timeout: 5000 },
          events: { url: 'https://mcp.example/sse' },
        },
      },
      {
        local: { ...stdio('python', ['-m', 'server'], { KEY: 't0ken' }), cwd: '<project>/sub' },
        stream: http('https://mcp.example/mcp', { Authorization: 'Bearer t0ken' }),
        events: { type: 'sse', url: 'https://mcp.example/sse' },
      },
    ],
    [
      'Windsurf',
      'mcp_config.json',
      { mcpServers: { remote: { serverUrl: 'https://mcp.example/mcp' }, other: { command: 'a', disabled: false } } },
      { remote: http('https://mcp.example/mcp'), other: stdio('a') },
    ],
    [
      'Cline and Roo Code',
      'cline_mcp_settings.json',
      {
        mcpServers: {
          local: { command: 'a', args: [], alwaysAllow: ['x'], autoApprove: [], disabled: false, timeout: 60 },
          remote: { type: 'streamableHttp', url: 'https://mcp.example/mcp', disabled: false },
          off: { command: 'b', disabled: true },
        },
      },
      { local: stdio('a'), remote: http('https://mcp.example/mcp') },
    ],
    [
      'Copilot CLI',
      'mcp-config.json',
      { mcpServers: { a: { type: 'local', command: 'a', args: [], tools: ['*'] } } },
      { a: stdio('a') },
    ],
    ['Amp', 'settings.json', { 'amp.mcpServers': { a: { command: 'a' } } }, { a: stdio('a') }],
    [
      'null and numbers where texts are usual',
      'x.json',
      {
        mcpServers: {
          a: {
            command: 'a',
            args: ['--port', 8080, null, true],
            env: { PORT: 1, DEBUG: false, NONE: null },
            cwd: null,
          },
        },
      },
      { a: stdio('a', ['--port', '8080', 'true'], { PORT: '1', DEBUG: 'false' }) },
    ],
    [
      'environment as a list of assignments',
      'x.json',
      { mcpServers: { a: { command: 'a', env: ['A=b', 'C=d=e'] } } },
      { a: stdio('a', [], { A: 'b', C: 'd=e' }) },
    ],
    [
      'variables that the entry defines',
      'x.json',
      { mcpServers: { a: { command: 'a', args: ['--key', '${OWN}', '$OWN'], env: { OWN: 'k' } } } },
      { a: stdio('a', ['--key', 'k', 'k'], { OWN: 'k' }) },
    ],
    [
      'shell scripts with variables of their own',
      'x.json',
      { mcpServers: { a: { command: 'sh', args: ['-c', 'for x in 1 2; do echo $x ${x%1} $0; done'] } } },
      { a: stdio('sh', ['-c', 'for x in 1 2; do echo $x ${x%1} $0; done']) },
    ],
    [
      'dollar signs in passwords',
      'x.json',
      { mcpServers: { a: { command: 'a', env: { P: 'pa$word', Q: '5$', R: '$1' } } } },
      { a: stdio('a', [], { P: 'pa$word', Q: '5$', R: '$1' }) },
    ],
    ['an empty list that is null', 'x.json', { mcpServers: null }, {}],
    ['an empty list', 'x.json', { mcpServers: {} }, {}],
    [
      'comments with braces and quotes',
      'x.json',
      `{ ${'// {"[\n/* {" */'.repeat(200)} "mcpServers": { "a": { "command": "{a" } } }`,
      { a: stdio('{a') },
    ],
    [
      'paths in the home directory',
      'x.json',
      { mcpServers: { a: { command: '~/bin/a', cwd: '~', args: ['~/x'] }, b: { command: 'b', cwd: '~me' } } },
      { a: { ...stdio('/home/me/bin/a', ['~/x']), cwd: '/home/me' }, b: { ...stdio('b'), cwd: '<project>/~me' } },
    ],
    [
      'Roo Code',
      '.roo/mcp.json',
      {
        mcpServers: {
          remote: {
            type: 'streamable-http',
            url: 'https://mcp.example/mcp',
            alwaysAllow: ['search'],
            disabledTools: [],
          },
          local: { command: 'node', args: ['s.js'], cwd: 'tools', watchPaths: ['dist'], timeout: 60, disabled: false },
        },
      },
      {
        remote: http('https://mcp.example/mcp'),
        local: { ...stdio('node', ['s.js']), cwd: '<project>/tools' },
      },
    ],
    [
      'Kiro',
      '.kiro/settings/mcp.json',
      {
        mcpServers: {
          docs: {
            command: 'uvx',
            args: ['docs@latest'],
            env: { FASTMCP_LOG_LEVEL: 'ERROR' },
            disabled: false,
            autoApprove: [],
          },
        },
      },
      { docs: stdio('uvx', ['docs@latest'], { FASTMCP_LOG_LEVEL: 'ERROR' }) },
    ],
    [
      'Amazon Q',
      '.amazonq/mcp.json',
      { mcpServers: { a: { command: 'uvx', args: ['a'], timeout: 120_000, disabled: false, type: 'stdio' } } },
      { a: stdio('uvx', ['a']) },
    ],
    [
      'LM Studio',
      'mcp.json',
      { mcpServers: { hf: { url: 'https://mcp.example/mcp', headers: { Authorization: 'Bearer x' } } } },
      { hf: http('https://mcp.example/mcp', { Authorization: 'Bearer x' }) },
    ],
    [
      'Warp, without a list',
      'warp.json',
      {
        GitHub: { command: 'npx', args: ['-y', 'github'], env: {}, working_directory: null, start_on_launch: true },
        Remote: { serverUrl: 'https://mcp.example/mcp' },
      },
      { GitHub: stdio('npx', ['-y', 'github']), Remote: http('https://mcp.example/mcp') },
    ],
    [
      'Continue',
      'config.json',
      {
        models: [],
        experimental: {
          modelContextProtocolServers: [{ transport: { type: 'stdio', command: 'uvx', args: ['a'] } }],
        },
      },
      { 'server-1': stdio('uvx', ['a']) },
    ],
    [
      'Augment, a list with names',
      'settings.json',
      { 'augment.advanced': { mcpServers: [{ name: 'sqlite', command: 'uvx', args: ['sqlite'] }] } },
      { sqlite: stdio('uvx', ['sqlite']) },
    ],
    [
      'Cherry Studio',
      'cherry.json',
      {
        mcpServers: {
          fetch: { name: 'fetch', type: 'stdio', isActive: true, command: 'uvx', args: ['fetch'], baseUrl: '' },
          remote: { type: 'streamableHttp', isActive: true, baseUrl: 'https://mcp.example/mcp', command: '' },
          off: { command: 'x', isActive: false },
        },
      },
      { fetch: stdio('uvx', ['fetch']), remote: http('https://mcp.example/mcp') },
    ],
    [
      'Qwen Code',
      '.qwen/settings.json',
      { mcpServers: { a: { url: 'https://mcp.example/x' }, b: { url: 'https://mcp.example/y', type: 'http' } } },
      { a: { type: 'sse', url: 'https://mcp.example/x' }, b: http('https://mcp.example/y') },
    ],
    [
      'an IDE, as Claude Code finds it',
      'x.json',
      { mcpServers: { ide: { type: 'sse-ide', url: 'http://127.0.0.1:1/sse', ideName: 'VS Code' } } },
      { ide: { type: 'sse', url: 'http://127.0.0.1:1/sse' } },
    ],
    [
      'the user settings of Claude Code',
      '.claude.json',
      { numStartups: 4, mcpServers: { a: { type: 'stdio', command: 'a', args: [], env: {} } }, projects: {} },
      { a: stdio('a') },
    ],
    [
      'OpenCode with a server named "servers"',
      'opencode.json',
      { mcp: { servers: { type: 'local', command: ['a'] } } },
      { servers: stdio('a') },
    ],
    [
      'a command with its arguments in one text',
      'x.json',
      {
        mcpServers: {
          a: { command: 'npx -y server', args: ['--stdio'] },
          b: { command: ' uvx ' },
          c: { command: '/opt/my tools/run' },
          d: { command: 'C:\\Program Files\\node.exe', args: ['s.js'] },
        },
      },
      {
        a: stdio('npx', ['-y', 'server', '--stdio']),
        b: stdio('uvx'),
        c: stdio('/opt/my tools/run'),
        d: stdio('C:\\Program Files\\node.exe', ['s.js']),
      },
    ],
    [
      'variables of an entry that contain each other',
      'x.json',
      {
        mcpServers: {
          a: {
            command: 'a',
            args: ['${DATA}', '${HOME}'],
            env: { DATA: '${ROOT}/data', ROOT: '${HOME}/root', HOME: '${HOME}/inner', PRICE: '5$${X} $$Y' },
          },
        },
      },
      {
        a: stdio('a', ['/home/me/inner/root/data', '/home/me/inner'], {
          DATA: '/home/me/inner/root/data',
          ROOT: '/home/me/inner/root',
          HOME: '/home/me/inner',
          PRICE: '5${X} $$Y',
        }),
      },
    ],
    [
      'defaults with colons, braces and variables',
      'x.json',
      {
        mcpServers: {
          a: {
            command: 'a',
            env: {
              A: '${NOT_SET:-http://127.0.0.1:80}',
              B: '${NOT_SET:-{"a":{"b":1}}}',
              C: '${NOT_SET:-${LEVEL}-${ALSO_NOT_SET:-${TOKEN}}}',
              D: '${NOT_SET:-}',
              E: '{"k":"${LEVEL}"}',
              F: '${NOT_SET-x}',
              G: '${env:NOT_SET:-y}',
            },
          },
        },
      },
      {
        a: stdio('a', [], {
          A: 'http://127.0.0.1:80',
          B: '{"a":{"b":1}}',
          C: 'high-t0ken',
          D: '',
          E: '{"k":"high"}',
          F: 'x',
          G: 'y',
        }),
      },
    ],
    [
      'the name __proto__',
      'x.json',
      '{ "mcpServers": { "__proto__": { "command": "a" }, "constructor": { "command": "b" } } }',
      Object.fromEntries([
        ['__proto__', stdio('a')],
        ['constructor', stdio('b')],
      ]),
    ],
  ])('reads the file of %s', async (_name, file, content, expected) => {
    const env = { TOKEN: 't0ken', LEVEL: 'high', HOME: '/home/me' };
    const loaded = await load(file, content, env, { '.env': 'API_KEY="from-file" # comment\nLEVEL=low\n' });
    const filled: unknown = JSON.parse(JSON.stringify(expected).replaceAll('<project>', loaded.project));
    expect(loaded.config.warnings).toEqual([]);
    expect(endpoints(loaded)).toMatchObject(filled as object); // an object, as `expected` is
    expect(Object.keys(endpoints(loaded))).toEqual(Object.keys(expected));
  });

  test.each([
    'http',
    'HTTP',
    'streamableHttp',
    'streamable-http',
    'streamable_http',
    'StreamableHTTP',
    'http-stream',
    'remote',
  ])('understands the transport %s, under "type" or "transport"', async (type) => {
    const url = 'https://mcp.example/mcp';
    const loaded = await load('x.json', { mcpServers: { a: { type, url }, b: { transport: type, url } } });
    expect(Object.values(endpoints(loaded))).toEqual([http(url)]);
    expect(loaded.config.warnings).toEqual([expect.stringMatching(/^mcpServers\.b: is the same server/)]);
  });

  test('reads the time limit of a start', async () => {
    const { config } = await load('config.toml', '[mcp_servers.a]\ncommand = "a"\nstartup_timeout_sec = 2.5\n');
    expect(config.servers[0]?.connectTimeoutMs).toBe(2_500);
  });

  test.each<[string, (text: string) => Buffer]>([
    ['UTF-8 with a byte order mark', (text) => Buffer.from(`\uFEFF${text}`)],
    ['UTF-16LE with a byte order mark', (text) => Buffer.from(`\uFEFF${text}`, 'utf16le')],
    ['UTF-16LE', (text) => Buffer.from(text, 'utf16le')],
    ['UTF-16BE with a byte order mark', (text) => Buffer.from(`\uFEFF${text}`, 'utf16le').swap16()],
  ])('reads a file in %s', async (_name, encode) => {
    const loaded = await load('x.json', encode('{"mcpServers":{"ä":{"command":"ü"}}}'));
    expect(endpoints(loaded)).toMatchObject({ ä: { command: 'ü' } });
  });
});

describe('an entry that cannot be used', () => {
  const entry = (value: unknown): object => ({ mcpServers: { bad: value, good: { command: 'good' } } });

  test.each<[string, unknown, RegExp]>([
    ['with an unknown type', { type: 'pigeon' }, /bad\.type: is "pigeon" – expected stdio, http, sse, tcp or ws/],
    ['with a misspelled command', { comand: 'npx' }, /bad\.comand: unknown option, did you mean "command"\?/],
    ['without an address', {}, /bad: expected "command", "url", or "host" and "port"/],
    ['that is a text', 'npx server', /bad: is "npx server" – expected an object/],
    ['that is null', null, /bad: is null – expected an object/],
    [
      'with a URL and the type stdio',
      { type: 'stdio', url: 'http://x/' },
      /bad\.type: is "stdio" – expected http, sse or ws/,
    ],
    [
      'with an unset variable',
      { command: 'a', env: { K: '${NOT_SET}' } },
      /bad\.env\.K: environment variable NOT_SET is not set/,
    ],
    [
      'with an unset variable of an editor',
      { command: 'a', env: { K: '${env:NOT_SET}' } },
      /variable NOT_SET is not set/,
    ],
    [
      'with an unset variable without braces',
      { url: 'http://x/', headers: { K: '$NOT_SET' } },
      /variable NOT_SET is not set/,
    ],
    [
      'with an input',
      { command: 'a', args: ['--key', '${input:key}'] },
      /bad\.args\.1: \$\{input:key\} cannot be filled in/,
    ],
    [
      'with a command of the editor',
      { command: 'a', env: { K: '${command:x.y}' } },
      /\$\{command:x\.y\} cannot be filled in/,
    ],
    [
      'with the content of a file',
      { url: 'http://x/', headers: { K: '{file:~/.key}' } },
      /\{file:~\/\.key\} cannot be filled in/,
    ],
    [
      'whose variables contain each other without end',
      { command: 'a', env: { A: '${B}', B: '${A}' } },
      /bad\.env\.A: environment variable A is not set/,
    ],
    [
      'whose variables become too long',
      {
        command: 'a',
        env: Object.fromEntries(
          Array.from({ length: 15 }, (_, index) => [`V${index}`, `\${V${index + 1}}`.repeat(10)]).concat([
            ['V15', 'x'],
          ]),
        ),
      },
      /bad\.env\.V0: is longer than 131072 characters with its variables/,
    ],
    [
      'with a variable without an end',
      { url: 'http://x/', headers: { K: '${KEY' } },
      /bad\.headers\.K: .*closing brace/,
    ],
    ['with an empty command', { command: '' }, /bad\.command: is "" – expected text that is not empty/],
    ['with an empty list as command', { command: [] }, /bad\.command: is a list – expected text/],
    ['with a proxy of its account', { type: 'claudeai-proxy', url: 'http://x/' }, /runs inside another program/],
    ['with an unset token', { url: 'http://x/', bearer_token_env_var: 'NOT_SET' }, /variable NOT_SET is not set/],
    ['with a headers helper', { url: 'http://x/', headersHelper: './h.sh' }, /bad\.headersHelper: is a program/],
    ['with OAuth', { url: 'http://x/', oauth: { clientId: 'x' } }, /bad\.oauth: uses OAuth/],
    [
      'with an authentication provider',
      { httpUrl: 'http://x/', authProviderType: 'google_credentials' },
      /authProviderType: uses OAuth/,
    ],
    ['of a server inside another program', { type: 'sdk', name: 'x' }, /bad\.type: "sdk" runs inside another program/],
    ['of an extension', { source: 'extension', settings: {} }, /bad\.source: is an extension/],
    [
      'with an invalid URL under another name',
      { serverUrl: 'nonsense' },
      /bad\.serverUrl: is "nonsense" – expected a URL/,
    ],
    [
      'with a missing file of variables',
      { command: 'a', envFile: 'missing.env' },
      /bad\.envFile: is "missing\.env", which cannot be read – the file does not exist/,
    ],
    [
      'with a header that is a list',
      { url: 'http://x/', headers: { K: [1] } },
      /bad\.headers\.K: is \*\*\* – expected text/,
    ],
  ])('%s is skipped with the reason and its place, and the others are read', async (_name, value, reason) => {
    const { config, file } = await load('x.json', entry(value));
    expect(config.servers.map(({ id }) => id)).toEqual(['bad', 'good']);
    const [bad] = config.servers;
    expect(bad?.endpoint).toMatchObject({ type: 'unusable', reason: expect.stringMatching(reason) });
    const [warning, ...more] = config.warnings;
    expect(more).toEqual([]);
    expect(warning).toMatch(/^mcpServers\.bad: is skipped – /);
    expect(warning).toMatch(reason);
    expect(warning).toMatch(/line \d+\)/);
    expect(warning).toContain(file);
  });

  test('is reported with the line of its key', async () => {
    const { config, file } = await load(
      'x.json',
      '{\n  "mcpServers": {\n    "a": {\n      "type": "pigeon"\n    }\n  }\n}\n',
    );
    expect(config.warnings[0]).toContain(`(${file}, line 4)`);
  });

  test.each(['Authorization', 'x-api-key', 'Cookie'])(
    'keeps its reason in logs and notices for the header %s',
    async (name) => {
      const { config, file } = await load('x.json', entry({ url: 'http://x/', headers: { [name]: '${NOT_SET}' } }));
      const reason = `bad.headers.${name} (${file}, line 6): environment variable NOT_SET is not set`;
      expect(redact(config.warnings.join())).toContain(reason);
      expect(redact(JSON.stringify(config.servers[0]?.endpoint))).toContain(reason);
    },
  );

  test('is reported with the line of its key in TOML', async () => {
    const text =
      'model = "x"\n[mcp_servers.a]\ncommand = "a"\nargs = 5\n\n["mcp_servers"."b c"]\nenv = { A = "${NOT_SET}" }\n';
    const { config, file } = await load('config.toml', `${text}command = "b"\n`);
    expect(config.warnings).toEqual([
      expect.stringContaining(`mcp_servers.a.args: is 5 – expected a list (${file}, line 4)`),
      expect.stringContaining(`write \${NOT_SET:-default} (${file}, line 7)`),
    ]);
  });

  test('never shows a configured secret in its reason', async () => {
    const secret = 'sk-s3cr3t-value-1234567890';
    const value = {
      command: 1,
      env: { API_KEY: secret },
      headers: { authorization: `Bearer ${secret}` },
      args: ['--token', secret],
    };
    const { config } = await load('x.json', entry(value));
    expect(JSON.stringify([config.warnings, config.servers[0]?.endpoint])).not.toContain(secret);
  });

  test('does not prevent the report of a mistake under "swarmlens", which prevents the start', async () => {
    const content = { mcpServers: { a: { type: 'pigeon' }, b: { command: 'b', swarmlens: { maxPollHz: -1 } } } };
    const error: unknown = await load('x.json', content).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ConfigError);
    expect(error).toMatchObject({
      problems: [
        expect.stringMatching(/^mcpServers\.a: is skipped – /),
        expect.stringMatching(/^mcpServers\.b\.swarmlens\.maxPollHz: is -1 – .* \(.*x\.json, line \d+\)$/),
      ],
    });
  });
});

describe('a list that is not an object', () => {
  test('reads the entries of an array by their names, and names those that cannot be used', async () => {
    const { config } = await load('x.json', { mcpServers: [{ name: 'a', command: 'a' }, 'b', { name: 'c' }] });
    expect(config.servers.map(({ id, endpoint }) => [id, endpoint.type])).toEqual([
      ['a', 'stdio'],
      ['server-2', 'unusable'],
      ['c', 'unusable'],
    ]);
    expect(config.warnings).toEqual([
      expect.stringMatching(/^mcpServers\.1: is skipped – mcpServers\.1: is "b" – expected an object/),
      expect.stringMatching(/^mcpServers\.2: is skipped – mcpServers\.2: expected "command"/),
    ]);
  });

  test.each<[string, unknown, RegExp]>([
    ['a list at the top', [], /x\.json: is a list – expected an object with "mcpServers"$/],
    [
      'a text in place of the list',
      { mcpServers: 'a' },
      /^mcpServers: is "a" – expected an object of servers .*x\.json, line 2\)$/,
    ],
    ['another misspelled key', { mcpServer: {} }, /^mcpServers: is missing .*x\.json\)$/],
  ])('rejects a file with %s', async (_name, content, problem) => {
    await expect(load('x.json', content)).rejects.toMatchObject({
      problems: expect.arrayContaining([expect.stringMatching(problem)]),
    });
  });
});

describe('a key that occurs again', () => {
  test('is reported with the line of the last occurrence, which is used', async () => {
    const text = '{"mcpServers": {\n"a": {"command": "x"},\n"a": {"command": "y", "command": 5}}}';
    const { config } = await load('x.json', text);
    expect(config.warnings).toEqual([
      expect.stringMatching(/^mcpServers\.a: is written more than once .*, line 3\)$/),
      expect.stringMatching(/^mcpServers\.a\.command: is written more than once .*, line 3\)$/),
      expect.stringMatching(/^mcpServers\.a: is skipped – mcpServers\.a\.command: is 5 – expected text .*, line 3\)$/),
    ]);
  });
});

describe('secrets of an entry', () => {
  const SECRET = 'kestrel-7-of-nine-q8Xw2Lm';

  test.each<[string, string, unknown]>([
    ['a variable', 'x.json', { mcpServers: { a: { command: 'a', args: ['--key', '${KEY}'] } } }],
    ['a variable without braces', 'x.json', { mcpServers: { a: { url: 'http://x/', headers: { 'x-key': '$KEY' } } } }],
    ['a default', 'x.json', { mcpServers: { a: { command: 'a', args: [`\${NOT_SET:-${SECRET}}`] } } }],
    ['a file of variables', 'x.json', { mcpServers: { a: { command: 'a', envFile: '.env' } } }],
    [
      '"environment"',
      'opencode.json',
      { mcp: { a: { type: 'local', command: ['a'], environment: { API_KEY: SECRET } } } },
    ],
    ['a list of assignments', 'x.json', { mcpServers: { a: { command: 'a', env: [`API_KEY=${SECRET}`] } } }],
    ['a command of Zed', 'x.json', { context_servers: { a: { command: { path: 'a', env: { API_KEY: SECRET } } } } }],
    ['the token of Codex', 'config.toml', '[mcp_servers.a]\nurl = "http://x/"\nbearer_token_env_var = "KEY"\n'],
    [
      'the headers of Codex',
      'config.toml',
      '[mcp_servers.a]\nurl = "http://x/"\nenv_http_headers = { "X-Any" = "KEY" }\n',
    ],
    ['a variable of another one', 'x.json', { mcpServers: { a: { command: 'a', env: { A: '${B}', B: '${KEY}' } } } }],
  ])('are removed from output: %s', async (_name, file, content) => {
    const { config } = await load(file, content, { KEY: SECRET }, { '.env': `API_KEY="${SECRET}"\n` });
    expect(config.servers[0]?.endpoint.type).not.toBe('unusable');
    expect([...collectSecrets(config)]).toContain(SECRET);
  });
});

describe('a key that has an effect only in other programs', () => {
  test.each<[string, object, RegExp]>([
    ['a proxy', { url: 'http://x/', proxy: 'http://p' }, /^mcpServers\.a\.proxy: is ignored – /],
    ['a sandbox', { command: 'x', sandboxEnabled: true }, /^mcpServers\.a\.sandboxEnabled: is ignored – /],
    ['a container image', { command: 'x', image: 'y' }, /^mcpServers\.a\.image: is ignored – /],
    [
      'a URL beside a command',
      { command: 'x', serverUrl: 'http://x/' },
      /^mcpServers\.a\.serverUrl: is ignored, because/,
    ],
    [
      'a token beside the headers',
      { url: 'http://x/', authToken: 'y' },
      /^mcpServers\.a\.authToken \(.*\): is ignored – /,
    ],
    [
      'a token of another transport',
      { url: 'http://x/', token: 'y' },
      /^mcpServers\.a\.token \(.*\): is ignored, because/,
    ],
    ['a misspelled key', { command: 'x', arg: ['y'] }, /^mcpServers\.a\.arg: unknown option, did you mean "args"\?/],
  ])('leads to a warning: %s', async (_name, a, warning) => {
    const { config } = await load('x.json', { mcpServers: { a } });
    expect(config.warnings).toEqual([expect.stringMatching(warning)]);
    expect(config.servers).toHaveLength(1);
  });

  test('reports a name in two lists, and servers of single projects', async () => {
    const { config } = await load('x.json', {
      mcpServers: { a: { command: 'first' } },
      servers: { a: { command: 'second' }, b: { command: 'c' } },
      projects: { '/home/me/p': { mcpServers: { d: { command: 'd' } } }, '/home/me/q': { history: [] } },
    });
    expect(config.servers.map(({ endpoint }) => endpoint)).toMatchObject([{ command: 'first' }, { command: 'c' }]);
    expect(config.warnings).toEqual([
      expect.stringMatching(/^servers\.a: is ignored, because mcpServers\.a has the same name/),
      expect.stringMatching(/^projects\."\/home\/me\/p"\.mcpServers: is ignored – copy the server/),
    ]);
  });
});

describe('a file that cannot be parsed', () => {
  test.each<[string, string, string, string]>([
    ['a missing comma', 'x.json', '{"mcpServers": {\n  "a": {} "b": {}\n}}', 'line 2, column 11: expected a comma'],
    ['single quotes', 'x.json', "{'mcpServers': {}}", 'line 1, column 2'],
    [
      'backslashes of a path',
      'x.json',
      '{"mcpServers": {"a": {"command": "C:\\tools\\x"}}}',
      'a backslash sequence is malformed',
    ],
    ['an empty file', 'x.json', '', 'line 1, column 1: expected a value'],
    ['a file with comments only', 'x.json', '// empty\n', 'expected a value'],
    ['an empty file in UTF-16', 'x.json', '\uFEFF', 'line 1, column 1: expected a value'],
    ['TOML without a value', 'x.toml', 'a =\n', 'is not TOML – line 1'],
  ])('is reported with line and reason: %s', async (_name, file, text, reason) => {
    await expect(load(file, text)).rejects.toMatchObject({ problems: [expect.stringContaining(reason)] });
  });
});
