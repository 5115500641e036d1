import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { request, SocketClient } from '../support/app.js';
import { Program } from '../support/program.js';

test('a simulator that listens on a socket and stands in the configuration as tcp shows its agents, and their changes', async () => {
  const cwd = await mkdtemp(join(tmpdir(), 'swarmlens-test-'));
  try {
    const args = ['--type', 'ruv-swarm', '--agents', '6', '--hz', '30', '--transport', 'tcp', '--port', '0'];
    await using simulator = new Program(['simulate', ...args], { cwd });
    const [, port] = await simulator.printed(/^tcp:\/\/127\.0\.0\.1:(\d+)\n/);
    const socket = { type: 'tcp', host: '127.0.0.1', port: Number(port) };
    await writeFile(join(cwd, 'swarmlens.config.json'), JSON.stringify({ mcpServers: { socket } }));
    await using serving = new Program(['serve', '--port', '0'], { cwd });
    const [url] = await serving.printed(/http:\/\/127\.0\.0\.1:\d+/);
    await using client = new SocketClient({ url });
    using stream = client.watchAgents({ mode: 'HIGH_FREQUENCY' });
    const updates = await stream.until(
      (all) =>
        all.some(({ agentUpdates: { agents } }) => agents.length > 0) &&
        all.some(({ agentUpdates: { kind, patches } }) => kind === 'DELTA' && patches.length > 0),
    );
    const agents = updates.flatMap(({ agentUpdates }) => agentUpdates.agents);
    expect(agents.every(({ id, simulated }) => id.startsWith('socket:') && simulated === true)).toBe(true);
    expect(await request({ url }, '{ servers { id type transport status tools } }')).toMatchObject({
      data: {
        servers: [
          {
            id: 'socket',
            type: 'RUV_SWARM',
            transport: 'TCP',
            status: 'ONLINE',
            tools: expect.arrayContaining(['agent_list']),
          },
        ],
      },
    });
  } finally {
    await rm(cwd, { recursive: true, force: true });
  }
});
