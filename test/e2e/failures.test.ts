import { describe, expect, test } from 'vitest';
import { type RunningSimulator, runSimulator, SIMULATOR_DEFAULTS } from '../../src/simulator/index.js';
import {
  AGENT_UPDATES,
  request,
  serverConfig,
  simulator,
  SocketClient,
  startApp,
  WirePicture,
  type WireUpdate,
} from '../support/app.js';

/** A simulated ruv-swarm over streamable HTTP in this process, so that a test can end it and start it again. */
async function httpServer(port = 0, agents = 8): Promise<RunningSimulator & { port: number }> {
  const options = { ...SIMULATOR_DEFAULTS, type: 'ruv-swarm', transport: 'http', port, agents, hz: 20 } as const;
  const running = await runSimulator(options, { stdin: process.stdin, stdout: process.stdout });
  return Object.assign(running, { port: Number(new URL(running.url ?? '').port) });
}

function httpConfig(port: number): ReturnType<typeof serverConfig> {
  return {
    ...serverConfig('http', []),
    endpoint: { type: 'http', url: `http://127.0.0.1:${port}/mcp`, headers: {} },
    timeoutMs: 1_000,
  };
}

interface Health {
  readonly healthChanges: {
    readonly serverId: string;
    readonly previousStatus: string;
    readonly status: string;
    readonly previousCircuitState: string;
    readonly circuitState: string;
  };
}

const HEALTH = 'subscription { healthChanges { serverId previousStatus status previousCircuitState circuitState } }';

describe('a server that goes away and comes back', () => {
  test('its agents stay, marked stale, while the others stream; when it is back they are fresh again, each id once', async () => {
    let server = await httpServer();
    await using app = await startApp([httpConfig(server.port), simulator('claude-flow', { hz: 20 })]);
    await using client = new SocketClient(app);
    using stream = client.subscribe<WireUpdate>(AGENT_UPDATES, { mode: 'HIGH_FREQUENCY' });
    using health = client.subscribe<Health>(HEALTH);
    using notices = client.subscribe<{ notices: { code: string; serverId: string } }>(
      'subscription { notices { code serverId } }',
    );
    await stream.until(({ length }) => length >= 5);

    await server[Symbol.asyncDispose]();
    await stream.until((updates) => updates.at(-1)?.agentUpdates.staleServerIds.includes('http') === true);
    const wentStale = stream.data.length;
    const picture = (): WirePicture => {
      const made = new WirePicture();
      for (const update of stream.data) made.apply(update);
      return made;
    };
    const ofServer = [...picture().whole.values()].filter((agent) => agent['serverId'] === 'http');
    expect(ofServer.length).toBeGreaterThan(0);
    expect(ofServer.every((agent) => agent['stale'] === true)).toBe(true);
    await stream.until((updates) =>
      updates
        .slice(wentStale)
        .some(({ agentUpdates }) => agentUpdates.agents.some((agent) => agent['serverId'] === 'claude-flow')),
    );
    const { data } = await request(
      app,
      '{ server(id: "http") { status stale lastError agentCount } readiness: health { status } }',
    );
    expect(data?.['server']).toMatchObject({ stale: true, lastError: expect.any(String), agentCount: ofServer.length });

    server = await httpServer(server.port, 3);
    await stream.until((updates) => updates.at(-1)?.agentUpdates.staleServerIds.length === 0);
    const fresh = [...picture().whole.values()].filter((agent) => agent['serverId'] === 'http');
    expect(fresh.every((agent) => agent['stale'] === false)).toBe(true);
    expect(new Set(fresh.map((agent) => agent['id'])).size).toBe(fresh.length);
    expect(picture().whole.size).toBe(picture().patched.size);
    await health.until((changes) => changes.at(-1)?.healthChanges.status === 'ONLINE');
    // Each transition starts where the one before ended: none is lost, none comes twice.
    const ends = health.data.map(({ healthChanges: change }) => [change.previousStatus, change.status]);
    ends.slice(1).forEach(([previous], index) => expect(previous).toBe(ends[index]?.[1]));
    expect(ends[0]?.[0]).toBe('ONLINE');
    await notices.until((all) => all.some(({ notices: { code } }) => code === 'SERVER_ONLINE'));
    await server[Symbol.asyncDispose]();
  });

  test('a server that never starts does not keep the others from streaming, and is told as offline', async () => {
    await using app = await startApp([
      serverConfig('never', ['--eval', 'process.stderr.write("licence expired\\n"); process.exit(1)']),
      {
        ...serverConfig('missing', []),
        endpoint: { type: 'stdio', command: 'no-such-command', args: [], cwd: process.cwd(), env: {} },
      },
      simulator('daa', { hz: 20 }),
    ]);
    await using client = new SocketClient(app);
    using stream = client.subscribe<WireUpdate>(AGENT_UPDATES, { mode: 'HIGH_FREQUENCY' });
    await stream.until(({ length }) => length >= 3);
    const { data } = await request(app, '{ servers { id status lastError } health { status } }');
    expect(data).toMatchObject({
      servers: [
        { id: 'never', status: 'OFFLINE', lastError: expect.stringContaining('licence expired') },
        {
          id: 'missing',
          status: 'OFFLINE',
          lastError: 'command not found: no-such-command (in ' + process.cwd() + ')',
        },
        { id: 'daa', status: 'ONLINE', lastError: null },
      ],
      health: { status: 'DEGRADED' },
    });
  });

  test('a server that stops answering: the breaker opens, the stream goes on stale, a probe closes it again', async () => {
    const silent = `
      let quiet = false;
      process.on('SIGUSR2', () => { quiet = !quiet; });
      require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
        const { id, method, params } = JSON.parse(line);
        if (id === undefined || (quiet && method === 'tools/call')) return;
        const answers = {
          initialize: () => ({ protocolVersion: '2024-11-05', capabilities: { tools: {} }, serverInfo: { name: 'daa-mcp', version: '1' } }),
          'tools/list': () => ({ tools: [{ name: 'list_agents', inputSchema: { type: 'object' } }, { name: 'be_quiet', inputSchema: { type: 'object' } }] }),
          'tools/call': () => {
            if (params.name === 'be_quiet') { quiet = true; setTimeout(() => { quiet = false; }, 2500); }
            const agent = { id: 'a', name: 'a', agent_type: 'coder', status: 'running', capabilities: [] };
            return { content: [{ type: 'text', text: JSON.stringify({ agents: [agent], total_count: 1 }) }] };
          },
        };
        process.stdout.write(JSON.stringify({ jsonrpc: '2.0', id, result: answers[method]() }) + '\\n');
      });`;
    await using app = await startApp([
      serverConfig('quiet', ['--eval', silent], { timeoutMs: 100, allowTools: ['be_quiet'] }),
    ]);
    await using client = new SocketClient(app);
    using stream = client.subscribe<WireUpdate>(AGENT_UPDATES, { mode: 'HIGH_FREQUENCY' });
    using health = client.subscribe<Health>(HEALTH);
    await stream.until(({ length }) => length >= 1);
    await request(app, 'mutation { callTool(serverId: "quiet", tool: "be_quiet") { isError } }');
    await health.until((changes) => changes.some(({ healthChanges }) => healthChanges.circuitState === 'OPEN'));
    const open = await request(
      app,
      '{ server(id: "quiet") { stale circuitBreaker { state openedAt retryAt consecutiveFailures } } agents { id stale } }',
    );
    expect(open.data).toMatchObject({
      server: {
        stale: true,
        circuitBreaker: { consecutiveFailures: expect.any(Number), openedAt: expect.any(String) },
      },
      agents: [{ id: 'quiet:a', stale: true }],
    });
    await health.until((changes) => {
      const last = changes.at(-1)?.healthChanges;
      return last?.circuitState === 'CLOSED' && last.status === 'ONLINE';
    });
    const circuits = health.data
      .map(({ healthChanges: change }) => [change.previousCircuitState, change.circuitState])
      .filter(([previous, now]) => previous !== now);
    expect(circuits[0]).toEqual(['CLOSED', 'OPEN']);
    expect(circuits[1]).toEqual(['OPEN', 'HALF_OPEN']);
    circuits.slice(1).forEach(([previous], index) => expect(previous).toBe(circuits[index]?.[1]));
    await stream.until((updates) => {
      const picture = new WirePicture();
      for (const update of updates) picture.apply(update);
      return picture.whole.get('quiet:a')?.['stale'] === false;
    });
  });
});

describe('many clients', () => {
  test('1,000 rounds of subscribing and leaving over real sockets leave no stream behind', async () => {
    await using app = await startApp([simulator('ruv-swarm', { hz: 20 })]);
    for (let round = 0; round < 20; round += 1) {
      await using client = new SocketClient(app);
      await Promise.all(
        Array.from({ length: 50 }, async (_, index) => {
          const modes = ['HIGH_FREQUENCY', 'NORMAL', 'LOW_FREQUENCY', 'ON_DEMAND'];
          using stream = client.subscribe<WireUpdate>(AGENT_UPDATES, { mode: modes[index % modes.length] });
          await stream.until(({ length }) => length >= 1);
        }),
      );
    }
    await using witness = new SocketClient(app);
    using stream = witness.subscribe<WireUpdate>(AGENT_UPDATES, { mode: 'NORMAL' });
    // A leave is handled when its message arrives, and these arrive after it on their own sockets.
    await stream.until(({ length }) => length >= 3);
    const { data } = await request(app, '{ health { connections { open subscriptions } } }');
    expect(data).toEqual({ health: { connections: { open: 1, subscriptions: 1 } } });
  });
});
