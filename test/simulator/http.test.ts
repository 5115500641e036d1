import { request } from 'node:http';
import { describe, expect, test } from 'vitest';
import { SIMULATED_CAPABILITY } from '../../src/shared/index.js';
import { connect, INITIALIZE, run, STEP_MS } from './running.js';

const HEADERS = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };

function post(url: string, body: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(url, { method: 'POST', headers: { ...HEADERS, ...headers }, body });
}

describe('runSimulator over streamable HTTP', () => {
  test('serves the official client and announces its identity and simulated data', async () => {
    await using running = await run({ transport: 'http', type: 'ruv-swarm' });
    expect(running.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/mcp$/);
    await using connected = await connect(running.url);
    expect(connected.client.getServerVersion()).toEqual({ name: 'ruv-swarm-no-timeout', version: '1.0.20' });
    expect(connected.client.getServerCapabilities()?.experimental).toEqual({ [SIMULATED_CAPABILITY]: {} });
    const { tools } = await connected.client.listTools();
    expect(tools.map(({ name }) => name)).toContain('agent_list');
    expect(await connected.ask('agent_list')).toMatchObject({ total_agents: 20, filter_applied: 'all' });
    await expect(connected.ask('swarm_monitor')).rejects.toMatchObject({ code: -32603 });
  });

  test('shows the same world to two clients', async () => {
    await using running = await run({ transport: 'http' });
    await using one = await connect(running.url);
    await using other = await connect(running.url);
    await one.ask('agent_spawn', { agentType: 'coder', agentId: 'mine' });
    expect(await other.ask('agent_status', { agentId: 'mine' })).toMatchObject({ agentType: 'coder' });
    running.clock.advance(50 * STEP_MS);
    expect(await one.ask('agent_list')).toEqual(await other.ask('agent_list'));
  });

  test('opens an event stream for GET and ends the session for DELETE', async () => {
    await using running = await run({ transport: 'http' });
    const opened = await post(running.url, INITIALIZE);
    const session = { 'mcp-session-id': opened.headers.get('mcp-session-id') ?? '' };
    await opened.text();
    const stream = await fetch(running.url, { headers: { accept: 'text/event-stream', ...session } });
    expect(stream.headers.get('content-type')).toBe('text/event-stream');
    expect((await fetch(running.url, { method: 'DELETE', headers: session })).status).toBe(200);
    expect(await stream.text()).toBe('');
    expect((await post(running.url, INITIALIZE, session)).status).toBe(404);
  });

  test.each([
    ['no JSON', 'garbage', {}, 400],
    ['no JSON-RPC', '{}', {}, 400],
    ['a call before the handshake', '{"jsonrpc":"2.0","id":1,"method":"tools/list"}', {}, 400],
    ['an unknown session', INITIALIZE, { 'mcp-session-id': 'nope' }, 404],
    ['another origin', INITIALIZE, { origin: 'https://example.com' }, 403],
    ['more than 10 MB', 'x'.repeat(11 * 1024 * 1024), {}, 413],
  ])('rejects %s with its status and keeps working', async (_request, body, headers, status) => {
    await using running = await run({ transport: 'http' });
    expect((await post(running.url, body, headers)).status).toBe(status);
    await using connected = await connect(running.url);
    expect(await connected.ask('task_summary')).toMatchObject({ failed: 0 });
  });

  test('rejects a page that uses another host name', async () => {
    await using running = await run({ transport: 'http' });
    const status = await new Promise((resolve, reject) => {
      request(running.url, { method: 'POST', headers: { ...HEADERS, host: 'evil.example' } }, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
        .on('error', reject)
        .end(INITIALIZE);
    });
    expect(status).toBe(403);
  });

  test('answers 404 for other paths than /mcp', async () => {
    await using running = await run({ transport: 'http' });
    expect((await fetch(new URL('/other', running.url))).status).toBe(404);
  });

  test('closes open event streams when it is disposed', async () => {
    const running = await run({ transport: 'http' });
    const opened = await post(running.url, INITIALIZE);
    await opened.text();
    const headers = { accept: 'text/event-stream', 'mcp-session-id': opened.headers.get('mcp-session-id') ?? '' };
    const stream = await fetch(running.url, { headers });
    await running[Symbol.asyncDispose]();
    await running.simulator.ended;
    await stream.text().catch(() => undefined);
    expect(running.clock.pending).toBe(0);
  });
});
