import { fileURLToPath } from 'node:url';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { App } from '../../src/app/create-app.js';
import { AGENT_UPDATES, PROGRAM, request, SocketClient, startApp, type WireUpdate } from '../support/app.js';
import { TAP_KEY_FILE } from '../support/tap-key-file.js';

const RUV_SWARM = fileURLToPath(new URL('node_modules/.bin/ruv-swarm', import.meta.url));

let app: App;
/** MCP client that starts ruv-swarm behind a tap. */
const mcpClient = new Client({ name: 'other-client', version: '1' }, { capabilities: {} });

beforeAll(async () => {
  app = await startApp([]);
  const args = [
    PROGRAM,
    'tap',
    '--server',
    'ruv',
    '--url',
    app.url,
    '--key-file',
    TAP_KEY_FILE,
    '--',
    RUV_SWARM,
    'mcp',
    'start',
  ];
  await mcpClient.connect(new StdioClientTransport({ command: process.execPath, args, stderr: 'ignore' }));
});

afterAll(async () => {
  await mcpClient.close();
  await app[Symbol.asyncDispose]();
});

async function callTool(name: string, args: Record<string, unknown>): Promise<Record<string, unknown>> {
  const { content } = await mcpClient.callTool({ name, arguments: args });
  const [block] = content as { text: string }[]; // as ruv-swarm answers
  return JSON.parse(block?.text ?? 'null') as Record<string, unknown>; // as ruv-swarm answers
}

describe('ruv-swarm behind a tap', () => {
  test('delivers agents that another MCP client creates to agentUpdates', async () => {
    await using client = new SocketClient(app);
    using stream = client.subscribe<WireUpdate>(AGENT_UPDATES, { mode: 'NORMAL' });
    await stream.until(({ length }) => length > 0);
    const swarm = await callTool('swarm_init', { topology: 'mesh', maxAgents: 5, strategy: 'balanced' });
    await callTool('agent_spawn', { type: 'coder', name: 'ada' });
    await callTool('agent_spawn', { type: 'researcher', name: 'bob' });
    const latest = new Map<string, Record<string, unknown>>();
    await stream.until((all) => {
      for (const { agentUpdates } of all) for (const agent of agentUpdates.agents) latest.set(agent.id, agent);
      return latest.size >= 2;
    });
    expect(
      [...latest.values()]
        .map(({ name, type, serverType, stale, simulated }) => [name, type, serverType, stale, simulated])
        .sort(),
    ).toEqual([
      ['ada', 'coder', 'RUV_SWARM', false, false],
      ['bob', 'researcher', 'RUV_SWARM', false, false],
    ]);
    expect(swarm).toMatchObject({ topology: 'mesh' });
    const { data } = await request(app, '{ servers { id transport type status } }');
    expect(data?.['servers']).toEqual([{ id: 'ruv', transport: 'TAP', type: 'RUV_SWARM', status: 'ONLINE' }]);
  });

  test('sends the MCP client only its own answers while swarmlens polls the same session', async () => {
    const errors: Error[] = [];
    mcpClient.onerror = (error) => errors.push(error);
    await using client = new SocketClient(app);
    using _stream = client.subscribe('subscription { agentUpdates(mode: HIGH_FREQUENCY) { cursor } }');
    for (let count = 0; count < 50; count += 1) {
      const { agents } = await callTool('agent_list', { filter: 'all' });
      expect(agents).toHaveLength(2);
    }
    // ruv-swarm prints log lines and answers notifications. These errors do not come from swarmlens.
    expect(errors.filter(({ message }) => message.includes('swarmlens'))).toEqual([]);
  });
});
