import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { AgentStream, type Arrival, type Filters } from '../../playground/agent-stream.js';
import {
  type Agent,
  AgentPatchesDocument,
  AgentUpdatesDocument,
  type OperationRunner,
} from '../../src/client/index.js';

type Payload = Parameters<OperationRunner['iterate']>[0];

/** An operation that the stream has started, answered by the test. */
interface Operation {
  readonly payload: Payload;
  completed: boolean;
  send(update: object): Promise<void>;
  fail(error: Error): Promise<void>;
}

class Server implements OperationRunner {
  readonly operations: Operation[] = [];

  get latest(): Operation {
    const operation = this.operations.at(-1);
    if (operation === undefined) throw new Error('nothing was started');
    return operation;
  }

  iterate(payload: Payload): AsyncIterableIterator<{ data: never }> {
    let settle: { resolve(result: IteratorResult<{ data: never }>): void; reject(error: Error): void } | null = null;
    const operation: Operation = {
      payload,
      completed: false,
      send: async (agentUpdates) => {
        settle?.resolve({ done: false, value: { data: { agentUpdates } as never } }); // the test's answer
        await setImmediate();
      },
      fail: async (error) => {
        settle?.reject(error);
        await setImmediate();
      },
    };
    this.operations.push(operation);
    return {
      [Symbol.asyncIterator]() {
        return this;
      },
      next: () => new Promise((resolve, reject) => (settle = { resolve, reject })),
      return: async () => {
        operation.completed = true;
        settle?.resolve({ done: true, value: undefined });
        return { done: true, value: undefined };
      },
    };
  }
}

const ALL: Filters = { serverTypes: null, mode: 'NORMAL' };
const rate = { requestedHz: 10, effectiveHz: 10 };

function agent(nativeId: string, name = nativeId): Agent {
  return {
    id: `x:${nativeId}`,
    nativeId,
    serverId: 'x',
    serverType: 'RUV_SWARM',
    swarmId: null,
    name,
    type: 'coder',
    status: 'IDLE',
    capabilities: [],
    performance: null,
    neural: null,
    topology: null,
    stale: false,
    simulated: true,
    createdAt: null,
    lastActiveAt: null,
    lastSeenAt: '2026-11-23T15:00:00.000Z',
  };
}

function snapshot(cursor: string, ...agents: readonly Agent[]): object {
  return { kind: 'SNAPSHOT', cursor, agents, removedAgentIds: [], staleServerIds: [], rate };
}

function delta(cursor: string, patches: readonly object[], removedAgentIds: readonly string[] = []): object {
  return { kind: 'DELTA', cursor, patches, removedAgentIds, staleServerIds: [], rate };
}

function open(): { server: Server; stream: AgentStream; arrivals: Arrival[]; problems: unknown[] } {
  const server = new Server();
  const arrivals: Arrival[] = [];
  const problems: unknown[] = [];
  const stream = new AgentStream({
    client: server,
    onArrival: (arrival) => arrivals.push(arrival),
    onProblem: (problem) => problems.push(problem),
    retryMs: 0,
  });
  return { server, stream, arrivals, problems };
}

describe('AgentStream', () => {
  test('takes whole agents once, completes, and goes on with patches from that cursor', async () => {
    const { server, stream, arrivals } = open();
    using _ = stream;
    stream.follow(ALL);
    expect(server.latest.payload).toEqual({ query: AgentUpdatesDocument, variables: ALL });
    await server.latest.send(snapshot('c1', agent('a'), agent('b')));
    expect(server.operations[0]?.completed).toBe(true);
    expect(server.latest.payload).toEqual({ query: AgentPatchesDocument, variables: { ...ALL, after: 'c1' } });
    await server.latest.send(delta('c2', [{ id: 'x:a', patch: { name: 'renamed' } }], ['x:b']));
    expect([...(arrivals.at(-1)?.agents.values() ?? [])]).toEqual([agent('a', 'renamed')]);
    expect(server.operations).toHaveLength(2);
  });

  test('a reconnect, which sends the same variables again, goes on from the latest cursor', async () => {
    const { server, stream } = open();
    using _ = stream;
    stream.follow(ALL);
    await server.latest.send(snapshot('c1'));
    await server.latest.send(delta('c2', []));
    expect(server.latest.payload.variables).toMatchObject({ after: 'c2' });
  });

  test('other filters complete the running operation and start from the latest cursor, without a snapshot', async () => {
    const { server, stream, arrivals } = open();
    using _ = stream;
    stream.follow(ALL);
    await server.latest.send(snapshot('c1', agent('a')));
    await server.latest.send(delta('c2', []));
    const before = server.latest;
    stream.follow({ serverTypes: ['DAA'], mode: 'HIGH_FREQUENCY' });
    expect(before.completed).toBe(true);
    expect(server.latest.payload).toEqual({
      query: AgentPatchesDocument,
      variables: { serverTypes: ['DAA'], mode: 'HIGH_FREQUENCY', after: 'c2' },
    });
    await before.send(delta('late', [{ id: 'x:a', patch: { name: 'late' } }]));
    await server.latest.send(delta('c3', [], ['x:a']));
    expect(arrivals.at(-1)?.agents.size).toBe(0);
    expect(arrivals.map(({ kind }) => kind)).toEqual(['SNAPSHOT', 'DELTA', 'DELTA']);
  });

  test('a cursor that is too old begins again with whole agents', async () => {
    const { server, stream, arrivals } = open();
    using _ = stream;
    stream.follow(ALL);
    await server.latest.send(snapshot('c1', agent('a')));
    await server.latest.send({ kind: 'SNAPSHOT', cursor: 'other', patches: [], removedAgentIds: [], rate });
    expect(server.latest.payload).toEqual({ query: AgentUpdatesDocument, variables: ALL });
    await server.latest.send(snapshot('d1', agent('b')));
    expect([...(arrivals.at(-1)?.agents.keys() ?? [])]).toEqual(['x:b']);
  });

  test('a failure is told, and the stream begins again with whole agents', async () => {
    const { server, stream, problems } = open();
    using _ = stream;
    stream.follow(ALL);
    await server.latest.send(snapshot('c1'));
    const started = server.operations.length;
    const failure = new Error('gone');
    await server.latest.fail(failure);
    while (server.operations.length === started) await setImmediate();
    expect(problems).toEqual([failure]);
    expect(server.latest.payload.query).toBe(AgentUpdatesDocument);
  });

  test('disposing completes the running operation and starts no other', async () => {
    const { server, stream, problems } = open();
    stream.follow(ALL);
    await server.latest.send(snapshot('c1'));
    stream[Symbol.dispose]();
    await setImmediate();
    expect(server.operations.every(({ completed }) => completed)).toBe(true);
    expect(server.operations).toHaveLength(2);
    expect(problems).toEqual([]);
  });
});
