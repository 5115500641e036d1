import { describe, expect, test } from 'vitest';
import { Client, InMemoryTransport } from '@modelcontextprotocol/client';
import { runSimulator, SIMULATOR_DEFAULTS } from '../../src/simulator/index.js';
import { SIMULATED_CAPABILITY } from '../../src/shared/index.js';
import { createMcpServer } from '../../src/simulator/mcp-server.js';
import { SERVER_PROFILES } from '../../src/simulator/server-profiles.js';
import { fixture, Simulated } from './simulated.js';

interface ToolList {
  readonly tools?: readonly { readonly name: string; readonly inputSchema: object }[];
  readonly result?: ToolList;
}

test('createMcpServer announces that the data is simulated', async () => {
  const server = createMcpServer(SERVER_PROFILES.daa, []);
  const client = new Client({ name: 'test', version: '1' });
  const [near, far] = InMemoryTransport.createLinkedPair();
  await server.connect(far);
  await client.connect(near);
  expect(client.getServerCapabilities()?.experimental).toEqual({ [SIMULATED_CAPABILITY]: {} });
  await client.close();
});

describe.each(['claude-flow', 'ruv-swarm'] as const)('simulated %s', (type) => {
  test('sends name and version of the real server in the handshake', () => {
    expect(fixture(type, '_initialize')).toMatchObject({ result: { serverInfo: SERVER_PROFILES[type].identity } });
  });

  test('offers tools with the real input schemas', () => {
    const list = fixture(type, '_tools_list') as ToolList; // recorded with one of these shapes
    const recorded = list.tools ?? list.result?.tools ?? [];
    for (const { name, inputSchema } of SERVER_PROFILES[type].tools(new Simulated(type).world)) {
      expect({ name, inputSchema }).toEqual({
        name,
        inputSchema: recorded.find((tool) => tool.name === name)?.inputSchema,
      });
    }
  });
});

describe('runSimulator', () => {
  test.each([
    [{ agents: -1 }, 'agents'],
    [{ agents: 1.5 }, 'agents'],
    [{ seed: Number.NaN }, 'seed'],
    [{ hz: -1 }, 'hz'],
    [{ hz: Infinity }, 'hz'],
    [{ port: 70_000 }, 'port'],
  ])('rejects the invalid option %j by its name', async (wrong, name) => {
    const options = { ...SIMULATOR_DEFAULTS, type: 'daa' as const, ...wrong };
    await expect(runSimulator(options, { stdin: process.stdin, stdout: process.stdout })).rejects.toThrow(
      `${name} must be`,
    );
  });
});
