import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { ServerConfig } from '../../src/config/index.js';
import { mappingSchema } from '../../src/config/mapping.js';
import { AGENT_UPDATES, request, serverConfig, SocketClient, startApp, type WireUpdate } from '../support/app.js';

const COMMAND = fileURLToPath(new URL('node_modules/.bin/mcp-server-everything', import.meta.url));

/** Cities to map to agents, from structured content. The environment maps to their swarm, from JSON in a text block. */
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

/** Child process of a listening server. Over stdio, swarmlens starts the server instead. */
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
    // The server exits when standard error is closed, so the test reads it to the end.
    await new Promise<void>((resolve, reject) => {
      let output = '';
      child.stderr.on('data', (chunk: Buffer) => {
        output += chunk.toString();
        if (output.includes(`port ${port}`)) resolve();
      });
      child.once('close', () => reject(new Error(`ended: ${output}`)));
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

describe('server-everything', { timeout: 60_000 }, () => {
  test.each(['stdio', 'http', 'sse'] as const)('delivers agents and swarms through a mapping over %s', async (type) => {
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

  test('reports a missing path with its tool and keeps the other values', async () => {
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
