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
} from '../../src/client/index.js';
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
  createSwarmClient({ url, webSocketImpl: WebSocket, firstRetryMs: 1, maxRetryMs: 5 });

describe('operations', () => {
  test('queries and mutations are answered with typed data', async () => {
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

  test('one that the server refuses rejects with its code, and the others go on', async () => {
    await using client = connect(server.url);
    const refused = client.mutate(CallToolDocument, { serverId: 'x', tool: 'swarm_init' });
    await expect(refused).rejects.toThrow(OperationError);
    await expect(refused).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
    expect((await client.query(AgentDocument, { id: 'nobody' })).agent).toBeNull();
  });

  test('one of the other kind is a mistake', async () => {
    await using client = connect(server.url);
    await expect(client.query(RefreshDiscoveryDocument)).rejects.toThrow(/run with `mutate`/);
    await expect(client.mutate(ServersDocument)).rejects.toThrow(/run with `query`/);
    expect(client.connection.getSnapshot().status).toBe('IDLE');
  });

  test('one whose signal is aborted rejects with its reason, before it is sent and while it runs', async () => {
    const waiting = await ScriptedServer.start(welcome);
    await using _waiting = waiting;
    await using client = connect(waiting.url);
    const reason = new Error('somebody left the page');
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

test('variables that are missing or wrong, and results of another type, are mistakes for the compiler', () => {
  const mistakes = (client: SwarmClient) => [
    // @ts-expect-error `id` is missing
    () => client.query(AgentDocument),
    // @ts-expect-error an id is a text
    () => client.query(AgentDocument, { id: 7 }),
    // @ts-expect-error there is no such family
    () => client.agents({ serverTypes: ['SOMETHING'] }),
    // @ts-expect-error the agent may be missing
    async () => (await client.query(AgentDocument, { id: 'x:1' })).agent.name,
  ];
  expect(mistakes).toBeTypeOf('function');
});

describe('a connection that breaks before the answer', () => {
  /** Cuts the first connection when it is asked something, and answers on the next. */
  async function cutting(): Promise<ScriptedServer> {
    const made: ScriptedServer = await ScriptedServer.start((socket, type, id) => {
      welcome(socket, type);
      if (type !== 'subscribe') return;
      if (made.sockets.length === 1) {
        socket.terminate();
        return;
      }
      socket.send(JSON.stringify({ id, type: 'next', payload: { data: { viewer: { subject: 'ada' } } } }));
      socket.send(JSON.stringify({ id, type: 'complete' }));
    });
    return made;
  }

  test('a query is asked again', async () => {
    await using scripted = await cutting();
    await using client = connect(scripted.url);
    expect(await client.query(ViewerDocument)).toEqual({ viewer: { subject: 'ada' } });
    expect(scripted.received.filter(({ type }) => type === 'subscribe')).toHaveLength(2);
  });

  test('a mutation is not: it may have been done', async () => {
    await using scripted = await cutting();
    await using client = connect(scripted.url);
    await expect(client.mutate(RefreshDiscoveryDocument)).rejects.toMatchObject({
      name: 'SwarmClientError',
      code: 'CONNECTION_LOST',
      message: expect.stringContaining('Look before trying again'),
    });
    await client.query(ViewerDocument);
    const mutations = scripted.received.filter(({ payload }) => JSON.stringify(payload ?? '').includes('mutation'));
    expect(mutations).toHaveLength(1);
  });
});
