import { access, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CONNECT_TIMEOUT_MS, type DiscoverOptions } from '../../../src/upstream/discovery/discover.js';
import type { DiscoveryCandidate } from '../../../src/model/index.js';
import { discoverServers, DiscoveryCache } from '../../../src/upstream/index.js';
import { type Clock, systemClock } from '../../../src/shared/index.js';
import { silentLogger } from '../../../src/telemetry/index.js';
import { hurriedClock } from '../../mcp/support.js';
import { ManualClock } from '../../support/manual-clock.js';
import { waitUntil } from '../../support/wait.js';
import { answerTo, http, type Listening, simulated, tcp, webSocket } from './listeners.js';

let root: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'swarmlens-test-'));
});

afterAll(async () => {
  await rm(root, { recursive: true, force: true });
});

/** Multiplies all delays by 200, because servers in this process may answer late on a slow machine. */
const patientClock: Clock = {
  ...systemClock,
  schedule: (delayMs, callback) => systemClock.schedule(delayMs * 200, callback),
};

/** Disables the connect timeout and shortens all other delays, for outcomes that only a silent server produces. */
const impatientClock: Clock = {
  ...hurriedClock,
  schedule: (delayMs, callback) =>
    delayMs === CONNECT_TIMEOUT_MS ? { [Symbol.dispose]: () => undefined } : hurriedClock.schedule(delayMs, callback),
};

const DEFAULTS: Omit<DiscoverOptions, 'signal'> = {
  directory: null,
  hosts: ['localhost'],
  ports: [],
  known: [],
  configFile: null,
  self: null,
  clock: patientClock,
  logger: silentLogger,
};

function discover(options: Partial<DiscoverOptions>): Promise<readonly DiscoveryCandidate[]> {
  return discoverServers({ ...DEFAULTS, signal: new AbortController().signal, ...options });
}

/** Creates a directory with this `.mcp.json`. */
async function createProject(file: object | string): Promise<string> {
  const directory = await mkdtemp(join(root, 'project-'));
  await writeFile(join(directory, '.mcp.json'), typeof file === 'string' ? file : JSON.stringify(file));
  return directory;
}

describe('discoverServers on ports', () => {
  test('returns an MCP server over HTTP with its type, tools, capabilities and configuration entry', async () => {
    await using server = await simulated('daa', 'http');
    const { port } = server;
    expect(await discover({ ports: [port] })).toEqual([
      {
        place: `localhost:${port}`,
        name: expect.any(String),
        version: expect.any(String),
        type: 'DAA',
        transport: 'HTTP',
        status: 'AVAILABLE',
        capabilities: expect.arrayContaining(['tools']),
        tools: expect.arrayContaining(['list_agents']),
        serverId: null,
        detail: null,
        entry: { type: 'http', url: `http://localhost:${port}/mcp` },
      },
    ]);
  });

  test('returns an MCP server over TCP', async () => {
    await using server = await simulated('ruv-swarm', 'tcp');
    const { port } = server;
    expect(await discover({ ports: [port] })).toMatchObject([
      {
        type: 'RUV_SWARM',
        transport: 'TCP',
        status: 'AVAILABLE',
        tools: expect.arrayContaining(['agent_list']),
        entry: { type: 'tcp', host: 'localhost', port },
      },
    ]);
  });

  test('returns an MCP server over WebSocket that splits its messages and does not declare its tools', async () => {
    await using server = await webSocket((socket, text) => {
      const answer = answerTo(text);
      if (answer === null) return;
      socket.send(`noise\n${answer.slice(0, 20)}`);
      socket.send(`${answer.slice(20)}\n{"method":"x"}\n`);
    });
    const { port } = server;
    expect(await discover({ ports: [port] })).toMatchObject([
      {
        name: 'Claude Flow',
        type: 'CLAUDE_FLOW',
        transport: 'WS',
        status: 'AVAILABLE',
        capabilities: ['tools'],
        tools: ['agent_list'],
        entry: { type: 'ws', url: `ws://localhost:${port}/` },
      },
    ]);
  });

  test('returns no candidate for a port on which nothing listens', async () => {
    const gone = await tcp(() => undefined);
    await gone[Symbol.asyncDispose]();
    expect(await discover({ ports: [gone.port] })).toEqual([]);
  });

  test('reports NOT_MCP with the response when a port speaks another protocol', async () => {
    await using web = await http(404, 'no such page');
    await using echo = await tcp((socket, received) => void socket.write(received));
    await using rpc = await tcp((socket, received) => {
      const { id } = JSON.parse(received.split('\n')[0] ?? '') as { id: string }; // written by the code under test
      socket.end(`${JSON.stringify({ jsonrpc: '2.0', id, error: { code: -32601, message: 'no such method' } })}\n`);
    });
    expect(await discover({ ports: [web.port, rpc.port] })).toMatchObject([
      { status: 'NOT_MCP', transport: null, detail: expect.stringContaining('no such page'), entry: null },
      { status: 'NOT_MCP', detail: 'no such method' },
    ]);
    // Only the timeout ends this case, because an echo is no response to an HTTP request.
    expect(await discover({ ports: [echo.port], clock: impatientClock })).toMatchObject([{ status: 'NOT_MCP' }]);
  });

  test.each<[string, () => Promise<Listening>, string]>([
    [
      'over TCP',
      () =>
        tcp(
          (socket) =>
            void socket.end('{"jsonrpc":"2.0","error":{"code":-32000,"message":"Authentication required"}}\n'),
        ),
      'TCP',
    ],
    ['over HTTP', () => http(401, 'authentication required'), 'HTTP'],
    ['over WebSocket', () => webSocket(() => undefined, false), 'WS'],
  ])('reports REFUSED when a server %s requires authentication', async (_name, start, transport) => {
    await using server = await start();
    const [found] = await discover({ ports: [server.port] });
    expect(found).toMatchObject({ status: 'REFUSED', transport });
    expect(found?.entry).toMatchObject({ type: transport.toLowerCase() });
  });

  test('closes its connections when a server never answers', async () => {
    await using mute = await tcp(() => undefined);
    await using endless = await tcp((socket) => void socket.write('x'.repeat(100_000)));
    const found = await discover({ ports: [mute.port, endless.port], clock: impatientClock });
    // Only the other one has sent something else than MCP.
    expect(found.map(({ status }) => status)).toEqual(['UNREACHABLE', 'NOT_MCP']);
    const active = (): number => mute.active() + endless.active();
    await waitUntil(() => active() === 0, { state: () => ({ active: active() }) });
  });

  test('closes its connections when it is aborted', async () => {
    await using mute = await tcp(() => stop.abort());
    const stop = new AbortController();
    await discover({ ports: [mute.port], clock: new ManualClock(), signal: stop.signal });
    await waitUntil(() => mute.active() === 0, { state: () => ({ active: mute.active() }) });
    expect(mute.connections()).toBeGreaterThan(0);
  });

  test('reports configured servers and replicas without connecting to them or to swarmlens itself', async () => {
    await using server = await http(200);
    await using replica = await http(200);
    await using ownServer = await http(200);
    const at = (port: number): { readonly url: string } => ({ url: `http://127.0.0.1:${port}/some/path` });
    const known = [{ id: 'mine', endpoint: at(server.port), replicas: [at(replica.port)] }];
    const own = { url: `http://127.0.0.1:${ownServer.port}` };
    const found = await discover({ ports: [server.port, replica.port, ownServer.port], known, self: own });
    expect(found).toMatchObject([
      { place: `localhost:${server.port}`, status: 'CONFIGURED', serverId: 'mine' },
      { place: `localhost:${replica.port}`, status: 'CONFIGURED', serverId: 'mine' },
    ]);
    expect([server.connections(), replica.connections(), ownServer.connections()]).toEqual([0, 0, 0]);
  });
});

describe('discoverServers on a slow machine', () => {
  /** Clock on which a port is probed with all transports at once, and on which no probe times out. */
  const slowClock: Clock = {
    ...systemClock,
    schedule: (delayMs, callback) =>
      delayMs === CONNECT_TIMEOUT_MS || delayMs > 1_000
        ? { [Symbol.dispose]: () => undefined }
        : systemClock.schedule(1, callback),
  };

  test('waits for an MCP server over TCP that answers after the other transports were tried', async () => {
    const held: (() => void)[] = [];
    await using server = await tcp((socket, received) => {
      if (!received.startsWith('{')) {
        // The probe of another transport.
        for (const answer of held.splice(0)) answer();
        return;
      }
      const lines = received.split('\n');
      const answer = answerTo(lines.at(-2) ?? '');
      if (answer === null) return;
      if (lines.length === 2) held.push(() => void socket.write(`${answer}\n`));
      else socket.write(`${answer}\n`);
    });
    expect(await discover({ ports: [server.port], clock: slowClock })).toMatchObject([
      { name: 'Claude Flow', transport: 'TCP', status: 'AVAILABLE' },
    ]);
  });

  test.each([
    ['over TCP', () => tcp(() => undefined)],
    [
      'over HTTP',
      () =>
        tcp((socket, received) => {
          // An HTTP server that rejects what is not HTTP and has not answered anything else yet.
          if (received.startsWith('{')) socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
        }),
    ],
  ])('reports UNREACHABLE, not NOT_MCP, when a server %s has not answered in time', async (_name, start) => {
    await using server = await start();
    expect(await discover({ ports: [server.port], clock: impatientClock, probeTimeoutMs: 4_000 })).toMatchObject([
      { status: 'UNREACHABLE', detail: expect.stringContaining('no answer within 4000 ms'), entry: null },
    ]);
    const directory = await createProject({ mcpServers: { s: { url: `http://localhost:${server.port}/mcp` } } });
    expect(await discover({ directory, clock: impatientClock })).toMatchObject([
      { name: 's', status: 'UNREACHABLE', detail: expect.stringContaining('no answer within 10000 ms') },
    ]);
  });
});

describe('discoverServers with .mcp.json', () => {
  test('lists commands with their guessed type, without starting them or exposing their arguments', async () => {
    const directory = await createProject({
      mcpServers: {
        flow: { command: 'npx', args: ['claude-flow', 'mcp', 'start', '--key=s3cret'], env: { A: 's3cret' } },
        touch: { command: 'touch', args: [join(root, 'started')] },
        off: { command: 'x', disabled: true },
      },
    });
    const found = await discover({ directory });
    const place = join(directory, '.mcp.json');
    expect(found).toMatchObject([
      { place, name: 'flow', type: 'CLAUDE_FLOW', transport: 'STDIO', status: 'LISTED', entry: null },
      { place, name: 'touch', type: null, status: 'LISTED', detail: 'a command, which discovery does not start' },
      { place, name: 'off', status: 'LISTED', detail: 'disabled in the file' },
    ]);
    expect(JSON.stringify(found)).not.toContain('s3cret');
    await expect(access(join(root, 'started'))).rejects.toThrow('ENOENT');
  });

  test('probes a loopback URL without the headers of the file', async () => {
    let received = '';
    await using spy = await tcp((socket, text) => {
      received = text;
      socket.end('HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n');
    });
    await using server = await simulated('claude-flow', 'http');
    const headers = { 'x-token': 's3cret-${HOME}' };
    const directory = await createProject({
      mcpServers: {
        up: { type: 'http', url: `http://localhost:${server.port}/mcp`, headers },
        spy: { url: `http://localhost:${spy.port}/mcp`, headers },
      },
    });
    const found = await discover({ directory });
    expect(found).toMatchObject([
      { name: 'up', type: 'CLAUDE_FLOW', status: 'AVAILABLE', tools: expect.arrayContaining(['agent_list']) },
      { name: 'spy', type: null, status: 'NOT_MCP' },
    ]);
    expect(received).toContain('POST /mcp');
    expect(received).not.toContain('s3cret');
  });

  test.each<[string, object, object]>([
    ['whose port is closed', { url: 'http://localhost:1/mcp' }, { status: 'UNREACHABLE', transport: 'HTTP' }],
    ['on another machine', { url: 'https://example.invalid/mcp' }, { status: 'LISTED', detail: /another machine/ }],
    ['with a variable', { url: 'http://localhost:${PORT}/mcp' }, { status: 'LISTED', detail: /usable address/ }],
    ['with a password', { url: 'http://u:p@localhost:1/' }, { status: 'LISTED', detail: /usable address/ }],
    ['that is disabled', { url: 'http://localhost:1/', disabled: true }, { status: 'LISTED', detail: /disabled/ }],
    ['over TCP', { type: 'tcp', host: 'localhost', port: 1 }, { status: 'UNREACHABLE', transport: 'TCP' }],
    ['whose URL is no string', { url: 7 }, { status: 'LISTED', detail: /usable address/ }],
    ['that is no object', [], { status: 'LISTED', detail: /not an object/ }],
  ])('reports the status of an entry %s', async (_name, entry, { detail, ...expected }: { detail?: RegExp }) => {
    const directory = await createProject({ mcpServers: { s: entry } });
    const [found, ...more] = await discover({ directory });
    expect(more).toEqual([]);
    expect(found).toMatchObject({ name: 's', ...expected });
    if (detail !== undefined) expect(found?.detail).toMatch(detail);
  });

  test('returns one candidate for a server that is also found on a port', async () => {
    await using server = await simulated('daa', 'http');
    const directory = await createProject({ mcpServers: { daa: { url: `http://127.0.0.1:${server.port}/mcp` } } });
    expect(await discover({ directory, ports: [server.port] })).toMatchObject([{ name: 'daa', status: 'AVAILABLE' }]);
  });

  test('reports an entry as CONFIGURED when its command or its file is in the configuration', async () => {
    const directory = await createProject({
      mcpServers: { a: { command: 'x', args: ['1'] }, b: { command: '${X}' }, c: { command: 'y' } },
    });
    const known = [
      { id: 'mine', endpoint: { command: 'x', args: ['1'], cwd: directory } },
      { id: 'b', endpoint: { command: 'filled in', args: [], cwd: directory } },
    ];
    const statuses = async (configFile: string | null): Promise<unknown> =>
      (await discover({ directory, known, configFile })).map(({ name, status, serverId }) => [name, status, serverId]);
    expect(await statuses(null)).toEqual([
      ['a', 'CONFIGURED', 'mine'],
      ['b', 'LISTED', null],
      ['c', 'LISTED', null],
    ]);
    expect(await statuses(join(directory, '.mcp.json'))).toContainEqual(['b', 'CONFIGURED', 'b']);
  });

  test.each(['', '{', '[]', '{"mcpServers":5}', '['.repeat(50_000)])(
    'reports a file that is not a list of servers: %.10s',
    async (text) => {
      const directory = await createProject(text);
      expect(await discover({ directory })).toMatchObject([{ status: 'LISTED', detail: 'not a list of MCP servers' }]);
    },
  );

  test('returns no candidate when the file does not exist', async () => {
    expect(await discover({ directory: join(root, 'nowhere') })).toEqual([]);
  });
});

describe('DiscoveryCache', () => {
  test('returns the same result for ten seconds or until it is cleared', async () => {
    await using server = await http(404);
    const clock = new ManualClock();
    await using candidates = new DiscoveryCache(clock, () => ({ ...DEFAULTS, ports: [server.port] }));
    const [a, b] = await Promise.all([candidates.list(), candidates.list()]);
    expect(a).toBe(b);
    clock.advance(10_000);
    expect(await candidates.list()).toBe(a);
    clock.advance(1);
    const later = await candidates.list();
    expect(later).not.toBe(a);
    candidates.clear();
    expect(await candidates.list()).not.toBe(later);
  });
});
