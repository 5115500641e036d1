import { expect, test } from 'vitest';
import { isTapCommand, tapWarning } from '../../src/config/servers/tap-entry.js';
import { serverConfig } from '../support/app.js';

function entry(line: string | readonly string[]): Parameters<typeof isTapCommand>[0] {
  const [command = '', ...args] = typeof line === 'string' ? line.split(' ') : line;
  return serverConfig('x', [], { endpoint: { type: 'stdio', command, args, cwd: '/', env: {} } });
}

test.each([
  'swarmlens tap --server flow -- npx claude-flow mcp start',
  'npx swarmlens tap --server=flow --url http://127.0.0.1:4000 -- npx ruv-swarm mcp start',
  'node /opt/swarmlens/dist/main.js tap --url x --server a -- server',
])('isTapCommand returns true for: %s', (line) => {
  expect(isTapCommand(entry(line))).toBe(true);
});

test('isTapCommand returns true for a tap that a shell starts', () => {
  expect(isTapCommand(entry(['sh', '-c', 'exec swarmlens tap --server a -- server']))).toBe(true);
});

test.each([
  'npx claude-flow mcp start',
  'tap --server a -- b',
  'server tap',
  'server tap -- --server x',
  'server --server tap -- x',
])('isTapCommand returns false for: %s', (line) => {
  expect(isTapCommand(entry(line))).toBe(false);
});

test('isTapCommand returns false for a server without a command', () => {
  expect(isTapCommand(serverConfig('x', [], { endpoint: { type: 'http', url: 'http://h/tap', headers: {} } }))).toBe(
    false,
  );
});

test('tapWarning explains when the server appears', () => {
  expect(tapWarning({ id: 'a' })).toMatch(/^mcpServers\.a: is a tap and is not started by swarmlens – /);
});
