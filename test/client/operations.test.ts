import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import {
  AgentDocument,
  CallToolDocument,
  createSwarmClient,
  DiscoveryDocument,
  OperationError,
  RefreshDiscoveryDocument,
  RequestAgentUpdateDocument,
  ServersDocument,
  type SwarmClient,
  ViewerDocument,
} from '@swarmlens/client';
import { DeliveryServer } from '../support/delivery-server.js';
import { ScriptedServer, welcome } from './scripted-server.js';
import { waitUntil } from '../support/wait.js';

let server: DeliveryServer;

beforeAll(async () => {
  server = await DeliveryServer.start();
  server.show(0, 3, 0);
});

afterAll(() => server[Symbol.asyncDispose]());

const connect = (url: string): SwarmClient =>
  createSwarmClient({ url, webSocketImpl: WebSocket, retryDelayMs: 1, maxRetryDelayMs: 5 });

describe('SwarmClient.query and mutate', () => {
  test('resolve with typed data', async () => {
    await using client = connect(server.url);
    const { servers } = await client.query(ServersDocument);
    const { agent } = await client.query(AgentDocument, { id: 'x:1' });
    const { discovery } = await client.query(DiscoveryDocument, {});
    const { refreshDiscovery } = await client.mutate(RefreshDiscoveryDocument);
    const { requestAgentUpdate } = await client.mutate(RequestAgentUpdateDocument, { serverIds: [] });
    expect(servers.map(({ id }) => id)).toEqual(['x']);
    expect(agent?.name).toBe('agent 1 in round 0');
    expect([discovery.totalAgents, refreshDiscovery.totalAgents]).toEqual([3, 3]);
    expect(requestAgentUpdate.serverIds).toEqual([]);
  });

  test('reject with the code of the server, without affecting other operations', async () => {
    await using client = connect(server.url);
    const refused = client.mutate(CallToolDocument, { serverId: 'x', tool: 'swarm_init' });
    await expect(refused).rejects.toThrow(OperationError);
    await expect(refused).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
    expect((await client.query(AgentDocument, { id: 'unknown' })).agent).toBeNull();
  });

  test('reject documents of the other kind', async () => {
    await using client = connect(server.url);
    await expect(client.query(RefreshDiscoveryDocument)).rejects.toThrow(/Use `mutate`/);
    await expect(client.mutate(ServersDocument)).rejects.toThrow(/Use `query`/);
    expect(client.connection.getSnapshot().status).toBe('IDLE');
  });

  test('reject with the reason of an aborted signal, before and while they run', async () => {
    const waiting = await ScriptedServer.start(welcome);
    await using _waiting = waiting;
    await using client = connect(waiting.url);
    const reason = new Error('the page was closed');
    const before = client.query(ViewerDocument, {}, { signal: AbortSignal.abort(reason) });
    await expect(before).rejects.toBe(reason);
    const abort = new AbortController();
    const during = client.query(ViewerDocument, {}, { signal: abort.signal }).catch((error: unknown) => error);
    const received = (expected: string): Promise<void> =>
      waitUntil(() => waiting.received.some(({ type }) => type === expected), { state: () => waiting.received });
    await received('subscribe');
    abort.abort(reason);
    expect(await during).toBe(reason);
    await received('complete');
  });
});

/** Mistakes that the compiler rejects: an unused `@ts-expect-error` fails the type check of `npm run check`. */
export const mistakes = (client: SwarmClient): unknown => [
  // @ts-expect-error `id` is missing
  () => client.query(AgentDocument),
  // @ts-expect-error an id is a string
  () => client.query(AgentDocument, { id: 7 }),
  // @ts-expect-error no such server type
  () => client.agents({ serverTypes: ['SOMETHING'] }),
  // @ts-expect-error the agent may be null
  async () => (await client.query(AgentDocument, { id: 'x:1' })).agent.name,
];

describe('SwarmClient when the connection breaks before the response', () => {
  /** Starts a server that breaks the first connection at the first operation and responds on the next one. */
  async function startBreakingServer(): Promise<ScriptedServer> {
    const created: ScriptedServer = await ScriptedServer.start((socket, type, id) => {
      welcome(socket, type);
      if (type !== 'subscribe') return;
      if (created.sockets.length === 1) {
        socket.terminate();
        return;
      }
      socket.send(JSON.stringify({ id, type: 'next', payload: { data: { viewer: { subject: 'ada' } } } }));
      socket.send(JSON.stringify({ id, type: 'complete' }));
    });
    return created;
  }

  test('sends a query again', async () => {
    await using scripted = await startBreakingServer();
    await using client = connect(scripted.url);
    expect(await client.query(ViewerDocument)).toEqual({ viewer: { subject: 'ada' } });
    expect(scripted.received.filter(({ type }) => type === 'subscribe')).toHaveLength(2);
  });

  test('sends a mutation once and rejects with CONNECTION_LOST', async () => {
    await using scripted = await startBreakingServer();
    await using client = connect(scripted.url);
    await expect(client.mutate(RefreshDiscoveryDocument)).rejects.toMatchObject({
      name: 'SwarmClientError',
      code: 'CONNECTION_LOST',
      message: expect.stringContaining('check before you retry'),
    });
    await client.query(ViewerDocument);
    const mutations = scripted.received.filter(({ payload }) => JSON.stringify(payload ?? '').includes('mutation'));
    expect(mutations).toHaveLength(1);
  });
});
