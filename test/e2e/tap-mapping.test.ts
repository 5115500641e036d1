import { describe, expect, test } from 'vitest';
import { mappingSchema } from '../../src/config/mapping.js';
import { request, startApp } from '../support/app.js';
import { TapSocket } from '../support/tap-socket.js';
import { waitUntil } from '../support/wait.js';

const MAPPING = mappingSchema.parse({
  agents: { tool: 'list_workers', list: 'workers', fields: { id: 'uuid', status: 'state' } },
});

describe('a mapping of tapped servers', () => {
  test('reads the agents of every session of the name', async () => {
    await using app = await startApp([], { tapMappings: new Map([['mine', MAPPING]]) });
    using _first = tapOf(app, { server: 'mine', instance: 'one' });
    using _second = tapOf(app, { server: 'mine', instance: 'two' });
    using _numbered = tapOf(app, { server: 'mine-7', instance: 'three' });
    using _other = tapOf(app, { server: 'other', instance: 'four' });
    let seen: unknown;
    await waitUntil(
      async () => {
        const { data } = await request(app, '{ servers { id type status lastError } agents { id status } }');
        seen = data;
        return (data?.['agents'] as readonly object[]).length === 3; // of the query
      },
      { state: () => seen },
    );
    const { data } = await request(app, '{ servers { id type } agents { id status } }');
    expect(data?.['servers']).toEqual(
      expect.arrayContaining([
        { id: 'mine', type: 'CUSTOM' },
        { id: 'mine-2', type: 'CUSTOM' },
        { id: 'mine-7', type: 'CUSTOM' },
      ]),
    );
    expect(data?.['agents']).toEqual(
      expect.arrayContaining(['mine', 'mine-2', 'mine-7'].map((id) => ({ id: `${id}:a1`, status: 'BUSY' }))),
    );
  });
});

/** Connects a tap whose server lists one worker. */
function tapOf(app: { readonly url: string }, join: object): TapSocket {
  const tap = new TapSocket(app, { join: { ...join } });
  tap.onReceived = (received) => {
    const { id, method } = JSON.parse(received) as { id?: string; method?: string }; // of swarmlens
    if (id === undefined) return;
    const answer = (result: object): void => tap.send(JSON.stringify({ jsonrpc: '2.0', id, result }));
    if (method === 'initialize') {
      const serverInfo = { name: 'workers', version: '1' };
      answer({ protocolVersion: '2024-11-05', capabilities: { tools: {} }, serverInfo });
    } else if (method === 'tools/list') answer({ tools: [{ name: 'list_workers', inputSchema: { type: 'object' } }] });
    else answer({ structuredContent: { workers: [{ uuid: 'a1', state: 'busy' }] } });
  };
  return tap;
}
