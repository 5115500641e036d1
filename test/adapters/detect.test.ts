import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { detectServerType, guessServerType } from '../../src/adapters/index.js';
import { DAA_ANSWERS, rigOf } from './fake-server.js';

function toolsOf(server: string): string[] {
  const file = new URL(`../fixtures/mcp/${server}/_tools_list.json`, import.meta.url);
  // Recorded by this project; one recording names the tools that it omits.
  const list = JSON.parse(readFileSync(file, 'utf8')) as { allNames?: string[]; tools: { name: string }[] };
  return list.allNames ?? list.tools.map((tool) => tool.name);
}

const FLOW_TOOLS = toolsOf('claude-flow');
const RUV_TOOLS = toolsOf('ruv-swarm');
const DAA_TOOLS = Object.keys(DAA_ANSWERS);

test.each([
  ['ruflo', FLOW_TOOLS, 'CLAUDE_FLOW'],
  ['claude-flow', FLOW_TOOLS, 'CLAUDE_FLOW'],
  ['ruv-swarm-no-timeout', RUV_TOOLS, 'RUV_SWARM'],
  ['daa-mcp-server', DAA_TOOLS, 'DAA'],
  ['', FLOW_TOOLS, 'CLAUDE_FLOW'],
  ['bridge', RUV_TOOLS, 'RUV_SWARM'],
  ['bridge', DAA_TOOLS, 'DAA'],
  ['mcp-gateway', ['agent/list', 'agent/register'], 'CLAUDE_FLOW'],
  ['swarmlens-observer-claude-code', ['list_agents', 'list_tasks'], 'CLAUDE_CODE'],
  ['swarmlens-observer-codex', ['list_agents', 'list_tasks'], 'CODEX'],
  ['filesystem', ['read_file', 'write_file'], 'CUSTOM'],
  ['', [], 'CUSTOM'],
  ['agents', ['agent_list'], 'CUSTOM'],
] as const)('detectServerType detects a server named "%s" with tools %j as %s', (name, tools, type) => {
  expect(detectServerType({ name, tools })).toBe(type);
});

test.each([
  ['npx claude-flow@alpha mcp start', 'CLAUDE_FLOW'],
  ['npx -y ruflo@latest mcp start', 'CLAUDE_FLOW'],
  ['claude-flow mcp start', 'CLAUDE_FLOW'],
  ['node /opt/lib/node_modules/claude-flow/bin/cli.js mcp start', 'CLAUDE_FLOW'],
  ['node --max-old-space-size=4096 /opt/claude-flow/bin/cli.js', 'CLAUDE_FLOW'],
  ['C:\\nodejs\\npx.cmd @claude-flow/cli@latest mcp start', 'CLAUDE_FLOW'],
  ['cmd /c npx claude-flow mcp start', 'CLAUDE_FLOW'],
  ['npx --package=claude-flow claude-flow mcp', 'CLAUDE_FLOW'],
  ['npx -p claude-flow flow', 'CLAUDE_FLOW'],
  ['env CLAUDE_FLOW_CWD=/x claude-flow mcp', 'CLAUDE_FLOW'],
  ['swarmlens tap --server flow -- npx claude-flow mcp start', 'CLAUDE_FLOW'],
  ['npx ruv-swarm mcp start', 'RUV_SWARM'],
  ['/usr/local/bin/ruv-swarm mcp start --protocol=stdio', 'RUV_SWARM'],
  ['daa-mcp', 'DAA'],
  ['swarmlens observe claude-code', 'CLAUDE_CODE'],
  ['npx swarmlens observe codex --port 0', 'CODEX'],
  ['node /opt/swarmlens/dist/main.js observe claude-code', 'CLAUDE_CODE'],
  ['node /opt/watcher.js observe files', null],
  ['observe claude-code', null],
  ['node server.js --project /home/me/claude-flow', null],
  ['python -m my_server', null],
  ['npx', null],
] as const)('guessServerType guesses the type of "%s" as %s', (line, type) => {
  const [command = '', ...args] = line.split(' ');

  expect(guessServerType(command, args)).toBe(type);
});

test('guessServerType parses the command of a shell', () => {
  expect(guessServerType('bash', ['-c', 'npx claude-flow mcp start'])).toBe('CLAUDE_FLOW');
});

test('guessServerType keeps a path with a space as one word', () => {
  expect(guessServerType('node', ['/my apps/ruv-swarm/bin/cli.js'])).toBe('RUV_SWARM');
});

test('createAdapter returns an adapter without agents and calls for an unknown server', async () => {
  const rig = rigOf('CUSTOM', DAA_ANSWERS);

  expect(await rig.poll()).toEqual({ agents: [], swarms: [], edges: [], failures: [] });
  expect(rig.server.calls).toEqual([]);
});
