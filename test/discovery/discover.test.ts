import { access, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CONNECT_MS } from '../../src/discovery/discover.js';
import { type Candidate, Candidates, discover, type DiscoverOptions } from '../../src/discovery/index.js';
import { type Clock, systemClock } from '../../src/shared/index.js';
import { silentLogger } from '../../src/telemetry/index.js';
import { hurriedClock } from '../mcp/support.js';
import { ManualClock } from '../support/manual-clock.js';
import { waitUntil } from '../support/wait.js';
import { answerTo, http, type Listening, simulated, tcp, webSocket } from './places.js';

let root: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'swarmlens-test-'));
});

afterAll(async () => {
  await rm(root, { recursive: true, force: true });
});

/** Waits far longer: servers of this process answer late on a slow machine. */
const patientClock: Clock = {
  ...systemClock,
  schedule: (delayMs, callback) => systemClock.schedule(delayMs * 200, callback),
};

/** Time to connect never ends; other waits are twenty times shorter, for what is only told by a server's silence. */
const impatientClock: Clock = {
  ...hurriedClock,
  schedule: (delayMs, callback) =>
    delayMs === CONNECT_MS ? { [Symbol.dispose]: () => undefined } : hurriedClock.schedule(delayMs, callback),
};

const NOTHING: Omit<DiscoverOptions, 'signal'> = {
  directory: null,
  hosts: ['localhost'],
  ports: [],
  known: [],
  configFile: null,
  own: null,
  clock: patientClock,
  logger: silentLogger,
};

function look(options: Partial<DiscoverOptions>): Promise<readonly Candidate[]> {
  return discover({ ...NOTHING, signal: new AbortController().signal, ...options });
}

/** A directory with this `.mcp.json`. */
async function project(file: object | string): Promise<string> {
  const directory = await mkdtemp(join(root, 'project-'));
  await writeFile(join(directory, '.mcp.json'), typeof file === 'string' ? file : JSON.stringify(file));
  return directory;
}

describe('on a port', () => {
  test('an MCP server over HTTP is found, with its family, tools and capabilities, and what to write to have it watched', async () => {
    await using server = await simulated('daa', 'http');
    const { port } = server;
    expect(await look({ ports: [port] })).toEqual([
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

  test('an MCP server over TCP is found', async () => {
    await using server = await simulated('ruv-swarm', 'tcp');
    const { port } = server;
    expect(await look({ ports: [port] })).toMatchObject([
      {
        type: 'RUV_SWARM',
        transport: 'TCP',
        status: 'AVAILABLE',
        tools: expect.arrayContaining(['agent_list']),
        entry: { type: 'tcp', host: 'localhost', port },
      },
    ]);
  });

  test('an MCP server over WebSocket is found, whose frames are pieces, and which has tools and does not say so', async () => {
    await using server = await webSocket((socket, text) => {
      const answer = answerTo(text);
      if (answer === null) return;
      socket.send(`noise\n${answer.slice(0, 20)}`);
      socket.send(`${answer.slice(20)}\n{"method":"x"}\n`);
    });
    const { port } = server;
    expect(await look({ ports: [port] })).toMatchObject([
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

  test('nothing is told where nothing listens', async () => {
    const gone = await tcp(() => undefined);
    await gone[Symbol.asyncDispose]();
    expect(await look({ ports: [gone.port] })).toEqual([]);
  });

  test('what does not speak MCP is told as such, with what it said', async () => {
    await using web = await http(404, 'no such page');
    await using echo = await tcp((socket, received) => void socket.write(received));
    await using rpc = await tcp((socket, received) => {
      const { id } = JSON.parse(received.split('\n')[0] ?? '') as { id: string }; // written by the code under test
      socket.end(`${JSON.stringify({ jsonrpc: '2.0', id, error: { code: -32601, message: 'no such method' } })}\n`);
    });
    expect(await look({ ports: [web.port, rpc.port] })).toMatchObject([
      { status: 'NOT_MCP', transport: null, detail: expect.stringContaining('no such page'), entry: null },
      { status: 'NOT_MCP', detail: 'no such method' },
    ]);
    // An echo does not answer a request over HTTP.
    expect(await look({ ports: [echo.port], clock: impatientClock })).toMatchObject([{ status: 'NOT_MCP' }]);
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
    ['over HTTP', () => http(401, 'who are you?'), 'HTTP'],
    ['over WebSocket', () => webSocket(() => undefined, false), 'WS'],
  ])('a server %s that wants to know who asks is told as such', async (_name, start, transport) => {
    await using server = await start();
    const [found] = await look({ ports: [server.port] });
    expect(found).toMatchObject({ status: 'REFUSED', transport });
    expect(found?.entry).toMatchObject({ type: transport.toLowerCase() });
  });

  test('what never answers is given up in bounded time, and no connection is left', async () => {
    await using mute = await tcp(() => undefined);
    await using endless = await tcp((socket) => void socket.write('x'.repeat(100_000)));
    const found = await look({ ports: [mute.port, endless.port], clock: impatientClock });
    expect(found.map(({ status }) => status)).toEqual(['NOT_MCP', 'NOT_MCP']);
    const talking = (): number => mute.talking() + endless.talking();
    await waitUntil(() => talking() === 0, { state: () => ({ talking: talking() }) });
  });

  test('a look that is called off ends, and leaves no connection', async () => {
    await using mute = await tcp(() => stop.abort());
    const stop = new AbortController();
    await look({ ports: [mute.port], clock: new ManualClock(), signal: stop.signal });
    await waitUntil(() => mute.talking() === 0, { state: () => ({ talking: mute.talking() }) });
    expect(mute.connections()).toBeGreaterThan(0);
  });

  test('a configured server is told as such, its replicas too, and neither they nor we ourselves are connected to', async () => {
    await using server = await http(200);
    await using replica = await http(200);
    await using ourselves = await http(200);
    const at = (port: number): { readonly url: string } => ({ url: `http://127.0.0.1:${port}/some/path` });
    const known = [{ id: 'mine', endpoint: at(server.port), replicas: [at(replica.port)] }];
    const own = { url: `http://127.0.0.1:${ourselves.port}` };
    const found = await look({ ports: [server.port, replica.port, ourselves.port], known, own });
    expect(found).toMatchObject([
      { place: `localhost:${server.port}`, status: 'CONFIGURED', serverId: 'mine' },
      { place: `localhost:${replica.port}`, status: 'CONFIGURED', serverId: 'mine' },
    ]);
    expect([server.connections(), replica.connections(), ourselves.connections()]).toEqual([0, 0, 0]);
  });
});

describe("in a project's .mcp.json", () => {
  test('commands are listed with what they seem to be, and are not started; nor is their text shown', async () => {
    const directory = await project({
      mcpServers: {
        flow: { command: 'npx', args: ['claude-flow', 'mcp', 'start', '--key=s3cret'], env: { A: 's3cret' } },
        touch: { command: 'touch', args: [join(root, 'started')] },
        off: { command: 'x', disabled: true },
      },
    });
    const found = await look({ directory });
    const place = join(directory, '.mcp.json');
    expect(found).toMatchObject([
      { place, name: 'flow', type: 'CLAUDE_FLOW', transport: 'STDIO', status: 'LISTED', entry: null },
      { place, name: 'touch', type: null, status: 'LISTED', detail: 'a command, which is not started unasked' },
      { place, name: 'off', status: 'LISTED', detail: 'disabled in the file' },
    ]);
    expect(JSON.stringify(found)).not.toContain('s3cret');
    await expect(access(join(root, 'started'))).rejects.toThrow('ENOENT');
  });

  test('an address of this machine is asked, without the headers that stand there', async () => {
    let received = '';
    await using spy = await tcp((socket, text) => {
      received = text;
      socket.end('HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n');
    });
    await using server = await simulated('claude-flow', 'http');
    const headers = { 'x-token': 's3cret-${HOME}' };
    const directory = await project({
      mcpServers: {
        up: { type: 'http', url: `http://localhost:${server.port}/mcp`, headers },
        spy: { url: `http://localhost:${spy.port}/mcp`, headers },
      },
    });
    const found = await look({ directory });
    expect(found).toMatchObject([
      { name: 'up', type: 'CLAUDE_FLOW', status: 'AVAILABLE', tools: expect.arrayContaining(['agent_list']) },
      { name: 'spy', type: null, status: 'NOT_MCP' },
    ]);
    expect(received).toContain('POST /mcp');
    expect(received).not.toContain('s3cret');
  });

  test.each<[string, object, object]>([
    ['where nothing answers', { url: 'http://localhost:1/mcp' }, { status: 'UNREACHABLE', transport: 'HTTP' }],
    ['on another machine', { url: 'https://example.invalid/mcp' }, { status: 'LISTED', detail: /another machine/ }],
    ['with a variable', { url: 'http://localhost:${PORT}/mcp' }, { status: 'LISTED', detail: /can be used/ }],
    ['with a password', { url: 'http://u:p@localhost:1/' }, { status: 'LISTED', detail: /can be used/ }],
    ['that is disabled', { url: 'http://localhost:1/', disabled: true }, { status: 'LISTED', detail: /disabled/ }],
    ['over TCP', { type: 'tcp', host: 'localhost', port: 1 }, { status: 'UNREACHABLE', transport: 'TCP' }],
    ['that is none', { url: 7 }, { status: 'LISTED', detail: /can be used/ }],
    ['that is no object', [], { status: 'LISTED', detail: /no object/ }],
  ])('an entry %s is told as what it is', async (_name, entry, { detail, ...expected }: { detail?: RegExp }) => {
    const directory = await project({ mcpServers: { s: entry } });
    const [found, ...more] = await look({ directory });
    expect(more).toEqual([]);
    expect(found).toMatchObject({ name: 's', ...expected });
    if (detail !== undefined) expect(found?.detail).toMatch(detail);
  });

  test('what also listens on a port looked at is one', async () => {
    await using server = await simulated('daa', 'http');
    const directory = await project({ mcpServers: { daa: { url: `http://127.0.0.1:${server.port}/mcp` } } });
    expect(await look({ directory, ports: [server.port] })).toMatchObject([{ name: 'daa', status: 'AVAILABLE' }]);
  });

  test('what is in the configuration is told as such: the same command, or the same file', async () => {
    const directory = await project({
      mcpServers: { a: { command: 'x', args: ['1'] }, b: { command: '${X}' }, c: { command: 'y' } },
    });
    const known = [
      { id: 'mine', endpoint: { command: 'x', args: ['1'], cwd: directory } },
      { id: 'b', endpoint: { command: 'filled in', args: [], cwd: directory } },
    ];
    const statuses = async (configFile: string | null): Promise<unknown> =>
      (await look({ directory, known, configFile })).map(({ name, status, serverId }) => [name, status, serverId]);
    expect(await statuses(null)).toEqual([
      ['a', 'CONFIGURED', 'mine'],
      ['b', 'LISTED', null],
      ['c', 'LISTED', null],
    ]);
    expect(await statuses(join(directory, '.mcp.json'))).toContainEqual(['b', 'CONFIGURED', 'b']);
  });

  test.each(['', '{', '[]', '{"mcpServers":[]}', '['.repeat(50_000)])(
    'that is no list of servers: %.10s',
    async (text) => {
      const directory = await project(text);
      expect(await look({ directory })).toMatchObject([{ status: 'LISTED', detail: 'it is no list of MCP servers' }]);
    },
  );

  test('that is not there is nothing to be told', async () => {
    expect(await look({ directory: join(root, 'nowhere') })).toEqual([]);
  });
});

describe('what was found', () => {
  test('is looked for once for all who ask within ten seconds, and anew when it is forgotten', async () => {
    await using server = await http(404);
    const clock = new ManualClock();
    await using candidates = new Candidates(clock, () => ({ ...NOTHING, ports: [server.port] }));
    const [a, b] = await Promise.all([candidates.list(), candidates.list()]);
    expect(a).toBe(b);
    clock.advance(10_000);
    expect(await candidates.list()).toBe(a);
    clock.advance(1);
    const later = await candidates.list();
    expect(later).not.toBe(a);
    candidates.forget();
    expect(await candidates.list()).not.toBe(later);
  });
});
