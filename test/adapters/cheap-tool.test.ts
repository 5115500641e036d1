import { expect, test } from 'vitest';
import { probeTool, type ServerMapping } from '../../src/adapters/index.js';
import type { McpServerType } from '../../src/model/index.js';

test.each<[McpServerType, readonly string[], string | null]>([
  ['CLAUDE_FLOW', ['swarm_status', 'agent_list'], 'agent_list'],
  ['CLAUDE_FLOW', ['agent/list'], 'agent/list'],
  ['RUV_SWARM', ['agent_list'], 'agent_list'],
  ['DAA', ['healthcheck', 'list_agents'], 'list_agents'],
  ['DAA', ['healthcheck'], null],
  ['CUSTOM', ['agent_list'], null],
])('probeTool selects the agent list of %s with tools %j: %s', (type, tools, tool) => {
  expect(probeTool(type, tools, undefined)).toEqual(tool === null ? null : { tool, args: {} });
});

test('probeTool selects the first source of a mapping', () => {
  const mapping: ServerMapping = {
    agents: [
      {
        place: 'mapping.agents',
        tool: 'list_workers',
        arguments: { all: true },
        shape: 'map',
        path: { text: '', keys: [] },
        fields: { id: { from: 'key' } },
        statuses: new Map(),
      },
    ],
    swarms: null,
  };
  expect(probeTool('CUSTOM', ['list_workers'], mapping)).toEqual({ tool: 'list_workers', args: { all: true } });
  expect(probeTool('CUSTOM', [], mapping)).toBeNull();
});
