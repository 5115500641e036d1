import { describe, expect, test } from 'vitest';
import { duplicateWarning, removeDuplicateServers } from '../../src/config/servers/duplicate-servers.js';
import { serverConfig } from '../support/app.js';

type Endpoint = ReturnType<typeof serverConfig>['endpoint'];

function found(a: Endpoint, b: Endpoint): string {
  const servers = [a, b].map((endpoint, index) => serverConfig(`s${index}`, [], { endpoint }));
  const { servers: kept, duplicates } = removeDuplicateServers(servers);
  expect(kept.length + duplicates.length).toBe(2);
  return kept.length === 1 ? 'one' : 'two';
}

const STDIO: Endpoint = { type: 'stdio', command: 'npx', args: ['x'], cwd: '/a', env: { A: '1', B: '2' } };
const HTTP: Endpoint = { type: 'http', url: 'http://127.0.0.1:3000/mcp', headers: { a: '1' } };
const TCP: Endpoint = { type: 'tcp', host: 'localhost', port: 9500, token: null };

describe('removeDuplicateServers', () => {
  test.each<[string, Endpoint, Endpoint]>([
    ['the same command', STDIO, { ...STDIO, env: { B: '2', A: '1' } }],
    ['the same address', HTTP, { ...HTTP }],
    ['a name and an address of loopback', HTTP, { ...HTTP, url: 'http://localhost:3000/mcp' }],
    ['two addresses of loopback', HTTP, { ...HTTP, url: 'http://[::1]:3000/mcp#x' }],
    ['the same header in different case', HTTP, { ...HTTP, headers: { A: '1' } }],
    ['an explicit default port', { ...HTTP, url: 'http://h/' }, { ...HTTP, url: 'http://H:80' }],
    ['the same socket', TCP, { ...TCP, host: '127.0.0.1' }],
    ['different transports to the same address', HTTP, { ...HTTP, type: 'sse' }],
  ])('merges entries with %s', (_name, a, b) => {
    expect(found(a, b)).toBe('one');
  });

  test.each<[string, Endpoint, Endpoint]>([
    ['different arguments', STDIO, { ...STDIO, args: ['x', 'y'] }],
    ['different directories', STDIO, { ...STDIO, cwd: '/b' }],
    ['different variables', STDIO, { ...STDIO, env: { A: '1', B: '3' } }],
    ['variables in different case', STDIO, { ...STDIO, env: { a: '1', B: '2' } }],
    ['different ports', HTTP, { ...HTTP, url: 'http://127.0.0.1:3001/mcp' }],
    ['different paths', HTTP, { ...HTTP, url: 'http://127.0.0.1:3000/sse' }],
    ['different tokens', HTTP, { ...HTTP, headers: { a: '2' } }],
    ['different TCP ports', TCP, { ...TCP, port: 9501 }],
    ['different TCP tokens', TCP, { ...TCP, token: 'x' }],
    ['a command and an address', STDIO, HTTP],
  ])('keeps entries with %s', (_name, a, b) => {
    expect(found(a, b)).toBe('two');
  });
});

test('duplicateWarning names the entry and the one that is kept', () => {
  const servers = ['a', 'b.c', 'd'].map((id) => serverConfig(id, [], { endpoint: HTTP }));
  const { servers: kept, duplicates } = removeDuplicateServers(servers);
  expect(kept).toEqual([servers[0]]);
  expect(duplicates.map(duplicateWarning)).toEqual([
    expect.stringMatching(/^mcpServers\."b\.c": is the same server as mcpServers\.a and is ignored – /),
    expect.stringMatching(/^mcpServers\.d: is the same server as mcpServers\.a /),
  ]);
});
