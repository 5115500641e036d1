import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { ServerConfig } from '../../src/config/index.js';
import { mappingSchema } from '../../src/config/mapping.js';
import { AGENT_UPDATES, request, serverConfig, SocketClient, startApp, type WireUpdate } from '../support/app.js';

const COMMAND = fileURLToPath(new URL('node_modules/.bin/mcp-server-everything', import.meta.url));

/** Its cities as agents, from structured content; its environment as their swarm, from JSON in a text. */
const CITIES = ['New York', 'Chicago', 'Los Angeles'];
const ENV = { SWARM_NAME: 'weather stations', SWARM_SHAPE: 'star' };

function mappingOf(list: object): ServerConfig['mapping'] {
  return mappingSchema.parse({
    agents: CITIES.map((city) => ({
      tool: 'get-structured-content',
      arguments: { location: city },
      ...list,
      fields: { id: { value: city }, type: { value: 'station' }, status: 'conditions', swarmId: { value: 'weather' } },
      statuses: { cloudy: 'IDLE', 'light rain / drizzle': 'BUSY', 'sunny / clear': 'ACTIVE' },
    })),
    swarms: {
      tool: 'get-env',
      one: '',
      fields: { id: { value: 'weather' }, name: 'SWARM_NAME', topology: 'SWARM_SHAPE' },
    },
  });
}

/** The server as a child process of this test, listening; over stdio it is swarmlens that starts it. */
class Listening implements AsyncDisposable {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  static async start(transport: 'streamableHttp' | 'sse', port: number): Promise<Listening> {
    const child = spawn(process.execPath, [COMMAND, transport], {
      env: { PATH: process.env['PATH'], PORT: `${port}`, ...ENV },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    // Read to the end: it goes down when it can no longer say what it does.
    await new Promise<void>((resolve, reject) => {
      let said = '';
      child.stderr.on('data', (chunk: Buffer) => {
        said += chunk.toString();
        if (said.includes(`port ${port}`)) resolve();
      });
      child.once('close', () => reject(new Error(`ended: ${said}`)));
    });
    return new Listening(child);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null) return;
    this.#child.kill('SIGKILL');
    await once(this.#child, 'exit');
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number }; // a TCP server's address is never a string
  server.close();
  await once(server, 'close');
  return port;
}

const STDIO: ServerConfig['endpoint'] = {
  type: 'stdio',
  command: process.execPath,
  args: [COMMAND, 'stdio'],
  cwd: process.cwd(),
  env: ENV,
};

describe('server-everything, which nobody here wrote', { timeout: 60_000 }, () => {
  test.each(['stdio', 'http', 'sse'] as const)('is read through a mapping over %s', async (type) => {
    const port = await freePort();
    await using _listening =
      type === 'stdio' ? null : await Listening.start(type === 'http' ? 'streamableHttp' : 'sse', port);
    const url = `http://127.0.0.1:${port}/${type === 'http' ? 'mcp' : 'sse'}`;
    const endpoint = type === 'stdio' ? STDIO : { type, url, headers: {} };
    const mapping = mappingOf({ one: '' });
    await using app = await startApp([
      { ...serverConfig('everything', []), endpoint, serverType: 'CUSTOM', ...(mapping && { mapping }) },
    ]);
    await using client = new SocketClient(app);
    using stream = client.subscribe<WireUpdate>(AGENT_UPDATES, { mode: 'NORMAL' });
    const [first] = await stream.until((updates) => (updates.at(-1)?.agentUpdates.agents.length ?? 0) >= 3);
    expect(first?.agentUpdates.agents).toMatchObject(
      [
        ['New York', 'IDLE'],
        ['Chicago', 'BUSY'],
        ['Los Angeles', 'ACTIVE'],
      ].map(([city, status]) => ({
        id: `everything:${city}`,
        name: city,
        type: 'station',
        serverType: 'CUSTOM',
        swarmId: 'everything:weather',
        status,
        performance: null,
        stale: false,
        simulated: false,
      })),
    );
    const { data } = await request(
      app,
      '{ servers { type transport status lastError agentCount } swarms { id name topology serverType } }',
    );
    expect(data).toEqual({
      servers: [{ type: 'CUSTOM', transport: type.toUpperCase(), status: 'ONLINE', lastError: null, agentCount: 3 }],
      swarms: [{ id: 'everything:weather', name: 'weather stations', topology: 'STAR', serverType: 'CUSTOM' }],
    });
  });

  test('a path that leads nowhere is told with tool and path, and the rest of the picture stands', async () => {
    const mapping = mappingOf({ list: 'stations' });
    await using app = await startApp([
      { ...serverConfig('everything', []), endpoint: STDIO, serverType: 'CUSTOM', ...(mapping && { mapping }) },
    ]);
    const { data } = await request(app, '{ servers { status lastError agentCount } swarms { id stale } }');
    expect(data).toMatchObject({
      servers: [
        {
          status: 'DEGRADED',
          lastError:
            'get-structured-content: "stations" of the response is missing, expected a list (mapping.agents.0.list)',
          agentCount: 0,
        },
      ],
      swarms: [{ id: 'everything:weather', stale: false }],
    });
  });
});
