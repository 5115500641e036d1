import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { simulated } from '../upstream/discovery/listeners.js';
import { request, serverConfig, startApp } from '../support/app.js';

const CANDIDATES = 'candidates { place name type transport status capabilities tools serverId detail entry }';

test('discovery lists configured servers and all candidates in files and on ports', async () => {
  await using watched = await simulated('daa', 'http');
  await using other = await simulated('ruv-swarm', 'tcp');
  const directory = await mkdtemp(join(tmpdir(), 'swarmlens-test-'));
  const file = join(directory, '.mcp.json');
  await writeFile(file, JSON.stringify({ mcpServers: { flow: { command: 'npx', args: ['ruflo', 'mcp', 'start'] } } }));
  const url = `http://127.0.0.1:${watched.port}/mcp`;
  const ports = [watched.port, other.port];
  await using app = await startApp([serverConfig('daa', [], { endpoint: { type: 'http', url, headers: {} } })], {
    discovery: { directory, hosts: ['localhost'], ports },
  });
  const { data, errors } = await request(app, `{ discovery { servers { id } totalAgents ${CANDIDATES} } }`);
  expect(errors).toBeUndefined();
  expect(data?.['discovery']).toMatchObject({
    servers: [{ id: 'daa' }],
    candidates: [
      { place: file, name: 'flow', type: 'CLAUDE_FLOW', transport: 'STDIO', status: 'LISTED' },
      { place: `localhost:${watched.port}`, status: 'CONFIGURED', serverId: 'daa' },
      {
        place: `localhost:${other.port}`,
        type: 'RUV_SWARM',
        transport: 'TCP',
        status: 'AVAILABLE',
        tools: expect.arrayContaining(['agent_list']),
        entry: { type: 'tcp', host: 'localhost', port: other.port },
      },
    ],
  });

  // The candidates are cached until a client requests a new discovery.
  await writeFile(file, '{"mcpServers":{}}');
  const again = await request(app, 'mutation { refreshDiscovery { candidates { place } } }');
  expect(again.data).toEqual({
    refreshDiscovery: {
      candidates: [{ place: `localhost:${watched.port}` }, { place: `localhost:${other.port}` }],
    },
  });
  await rm(directory, { recursive: true });
});

test('discovery lists no candidates when no places are configured', async () => {
  await using app = await startApp([]);
  expect((await request(app, '{ discovery { candidates { place } } }')).data).toEqual({
    discovery: { candidates: [] },
  });
});
