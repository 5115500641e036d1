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

describe('two entries are', () => {
  test.each<[string, Endpoint, Endpoint]>([
    ['the same command', STDIO, { ...STDIO, env: { B: '2', A: '1' } }],
    ['the same address', HTTP, { ...HTTP }],
    ['names of this machine', HTTP, { ...HTTP, url: 'http://localhost:3000/mcp' }],
    ['addresses of this machine', HTTP, { ...HTTP, url: 'http://[::1]:3000/mcp#x' }],
    ['the same header in another case', HTTP, { ...HTTP, headers: { A: '1' } }],
    ['a port that goes without saying', { ...HTTP, url: 'http://h/' }, { ...HTTP, url: 'http://H:80' }],
    ['the same socket', TCP, { ...TCP, host: '127.0.0.1' }],
    ['another transport to the same address', HTTP, { ...HTTP, type: 'sse' }],
  ])('one server: %s', (_name, a, b) => {
    expect(found(a, b)).toBe('one');
  });

  test.each<[string, Endpoint, Endpoint]>([
    ['other arguments', STDIO, { ...STDIO, args: ['x', 'y'] }],
    ['another directory', STDIO, { ...STDIO, cwd: '/b' }],
    ['another variable', STDIO, { ...STDIO, env: { A: '1', B: '3' } }],
    ['a variable in another case', STDIO, { ...STDIO, env: { a: '1', B: '2' } }],
    ['another port', HTTP, { ...HTTP, url: 'http://127.0.0.1:3001/mcp' }],
    ['another path', HTTP, { ...HTTP, url: 'http://127.0.0.1:3000/sse' }],
    ['another token', HTTP, { ...HTTP, headers: { a: '2' } }],
    ['another port of a host', TCP, { ...TCP, port: 9501 }],
    ['another token for a socket', TCP, { ...TCP, token: 'x' }],
    ['a command and an address', STDIO, HTTP],
  ])('two servers: %s', (_name, a, b) => {
    expect(found(a, b)).toBe('two');
  });
});

test('the first stays, and each of the others is told with it', () => {
  const servers = ['a', 'b.c', 'd'].map((id) => serverConfig(id, [], { endpoint: HTTP }));
  const { servers: kept, duplicates } = removeDuplicateServers(servers);
  expect(kept).toEqual([servers[0]]);
  expect(duplicates.map(duplicateWarning)).toEqual([
    expect.stringMatching(/^mcpServers\."b\.c": is the same server as mcpServers\.a and is ignored – /),
    expect.stringMatching(/^mcpServers\.d: is the same server as mcpServers\.a /),
  ]);
});
