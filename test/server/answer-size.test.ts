import { setImmediate as nextTurn } from 'node:timers/promises';
import { getIntrospectionQuery, type GraphQLResolveInfo, Kind, parse } from 'graphql';
import { describe, expect, test, vi } from 'vitest';
import { AnswerBudget } from '../../src/schema/index.js';
import { emptyDelta } from '../../src/state/index.js';
import { swarmWith } from '../state/fixed-state.js';
import { DeliveryServer } from '../support/delivery-server.js';
import { taskWith } from '../state/fixed-state.js';
import { RawGraphqlWsClient } from '../support/raw-graphql-ws-client.js';

const AGENTS = 100;

interface Answer {
  readonly data?: Readonly<Record<string, unknown>> | null;
  readonly errors?: readonly { readonly message: string; readonly extensions: Readonly<Record<string, unknown>> }[];
}

type Send = (server: DeliveryServer, query: string, variables?: object) => Promise<Answer>;

const overHttp: Send = async (server, query, variables = {}) => {
  const response = await post(server, query, variables, 'application/json');
  return (await response.json()) as Answer; // response of GraphQL over HTTP
};

const overSse: Send = async (server, query, variables = {}) => {
  const response = await post(server, query, variables, 'text/event-stream');
  const [, text = '{}'] = /data: (.*)/.exec(await response.text()) ?? [];
  return JSON.parse(text) as Answer; // event of graphql-sse
};

const overSocket: Send = async (server, query, variables = {}) => {
  await using client = await RawGraphqlWsClient.open(server, null);
  await client.until(({ messages }) => messages.length === 1);
  client.run('1', query, variables);
  await client.until(({ messages }) => messages.length > 1);
  const message = client.messages[1];
  return (message?.type === 'error' ? { errors: message.payload } : message?.payload) as Answer; // `next` or `error`
};

function post(server: DeliveryServer, query: string, variables: object, accept: string): Promise<Response> {
  return fetch(`${server.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept },
    body: JSON.stringify({ query, variables }),
  });
}

async function startServer(maxValues: number, agents = AGENTS): Promise<DeliveryServer> {
  const server = await DeliveryServer.start({}, {}, { maxAnswerValues: maxValues, maxUpdateValues: 2 * maxValues });
  server.show(0, agents, 0);
  return server;
}

/** Starts a server whose agents are in one swarm and work on one task; the first one has started all others. */
async function startLinkedServer(maxAnswerValues: number, agents = AGENTS): Promise<DeliveryServer> {
  const server = await startServer(maxAnswerValues, agents);
  linkAgents(server);
  return server;
}

function linkAgents({ store }: DeliveryServer): void {
  const agents = [...store.agents.values()].map((agent, index) => ({
    ...agent,
    swarmId: 'x:s',
    parentId: index === 0 ? null : 'x:0',
  }));
  const swarm = swarmWith('s');
  const task = taskWith('t', { agentIds: agents.map(({ id }) => id) });
  store.commit({ ...emptyDelta('x'), swarms: [swarm], agents, tasks: [task] });
}

function codes({ errors = [] }: Answer): unknown[] {
  return errors.map(({ extensions }) => extensions['code']);
}

function hits(server: DeliveryServer, limit = 'maxAnswerValues'): number | undefined {
  return server.counters.read().find(({ name }) => name === limit)?.hits;
}

describe.each([
  ['HTTP', overHttp],
  ['server-sent events', overSse],
  ['WebSocket', overSocket],
])('the size of answers over %s', (_, send) => {
  test.each([
    ['aliases', '{ a: agents { id name } b: agents { id name } c: agents { id name } }'],
    [
      'fragments',
      '{ ...A } fragment A on Query { a: agents { ...B } b: agents { ...B } c: agents { ...B } } fragment B on Agent { id ...C } fragment C on Agent { name }',
    ],
    [
      'inline fragments',
      '{ a: agents { ... { id name } } ... on Query { b: agents { id ... on Agent { name } } c: agents { id name } } }',
    ],
    ['nested objects', '{ agents { performance { cpuUsage memoryUsage healthScore tasksActive tasksCompleted } } }'],
    ['lists in lists', '{ agents { id name capabilities } b: agents { capabilities } }'],
    ['lists of other objects', '{ agents { id name } discovery { a: servers { tools } } b: agents { id name stale } }'],
  ])('multiplied by %s counts towards the limit', async (_name, query) => {
    await using server = await startServer(500);
    const answer = await send(server, query);
    expect(codes(answer).length).toBeGreaterThan(0);
    expect(new Set(codes(answer))).toEqual(new Set(['LIMIT_EXCEEDED']));
    expect(answer.data ?? null).toBeNull();
    expect(answer.errors?.[0]?.message).toContain('more than 500 values');
    expect(hits(server)).toBe(1);
  });

  test.each([
    ['the agents of a swarm', '{ agents { swarm { agents { id } } } }'],
    ['parents and children', '{ agents { parent { children { id } } } }'],
    ['tasks', '{ agents { id name status type tasks { id status } } }'],
    ['links between links', '{ agent(id: "x:0") { children { parent { children { id } } } } }'],
    ['lists of servers', '{ agents { server { tools id name status type version } } }'],
  ])('multiplied by links to %s counts towards the limit', async (_name, query) => {
    await using server = await startLinkedServer(500);
    const answer = await send(server, query);
    expect(new Set(codes(answer))).toEqual(new Set(['LIMIT_EXCEEDED']));
    expect(codes(answer)).toHaveLength(1);
    expect(answer.data ?? null).toBeNull();
    expect(hits(server)).toBe(1);
    const once = await send(server, '{ agent(id: "x:0") { children { id } swarm { agents { id } } tasks { id } } }');
    expect(once.errors).toBeUndefined();
  });

  test.each([
    ['aliases of the schema', '{ a: __schema { types { name } } b: __schema { types { name } } }'],
    ['aliases in the schema', '{ __schema { types { ...T } } } fragment T on __Type { a: fields { name } }'],
    ['aliases in a type', '{ __type(name: "Agent") { a: fields { name } } }'],
  ])('multiplied by %s is not allowed in introspection', async (_name, query) => {
    await using server = await startServer(1_000_000);
    expect(codes(await send(server, query))).toEqual(['LIMIT_EXCEEDED']);
    expect(server.counters.read()).toContainEqual({ name: 'maxAliases', hits: 1 });
  });

  test('is not limited for the introspection that tools send', async () => {
    await using server = await startServer(100);
    const answer = await send(server, getIntrospectionQuery());
    expect(answer.errors).toBeUndefined();
    const types = '{ a: __type(name: "Agent") { name fields { name } } b: __type(name: "Swarm") { name } }';
    expect((await send(server, types)).errors).toBeUndefined();
  });

  test('within the limit is answered, and only what is selected and found counts', async () => {
    await using server = await startServer(500);
    const query = `query ($no: Boolean!) {
      agents { id name stale type @include(if: $no) status @skip(if: true) }
      none: agents(agentTypes: []) { id name type status stale simulated }
      two: agents(agentTypes: ["coder"]) { id }
      swarms { id name agentCount }
    }`;
    const answer = await send(server, query, { no: false });
    expect(answer.errors).toBeUndefined();
    expect(answer.data?.['agents']).toHaveLength(AGENTS);
    expect(hits(server)).toBe(0);
  });

  test('does not change the order of fields', async () => {
    await using server = await startServer(1_000_000, 1_000);
    const answer = await send(server, '{ agents { capabilities id name } swarms { id } again: agents { name id } }');
    expect(Object.keys(answer.data ?? {})).toEqual(['agents', 'swarms', 'again']);
    const agents = answer.data?.['agents'] as readonly object[]; // as selected
    expect(agents).toHaveLength(1_000);
    expect(new Set(agents.map((agent) => Object.keys(agent).join()))).toEqual(new Set(['capabilities,id,name']));
  });
});

describe('the first update of a subscription', () => {
  const update = 'kind agents { id name } b: agents { id name } c: agents { id name }';

  test.each([
    ['server-sent events', overSse],
    ['WebSocket', overSocket],
  ])('over %s counts towards the limit', async (_, send) => {
    await using server = await startServer(250);
    const answer = await send(server, `subscription { agentUpdates { ${update} } }`);
    expect(codes(answer)).toEqual(['LIMIT_EXCEEDED']);
    expect([hits(server), hits(server, 'maxUpdateValues')]).toEqual([0, 1]);
  });

  test('has a limit of its own, because it is rendered in parts', async () => {
    await using server = await startServer(AGENTS);
    const answer = await overSocket(server, 'subscription { agentUpdates { agents { id } } }');
    expect(answer).toMatchObject({ data: { agentUpdates: { agents: { length: AGENTS } } } });
    expect(codes(await overSocket(server, '{ agents { id name } }'))).toEqual(['LIMIT_EXCEEDED']);
  });

  test('counts the agents that match the filters', async () => {
    await using server = await startServer(250);
    const answer = await overSocket(server, `subscription { agentUpdates(agentTypes: ["none"]) { ${update} } }`);
    expect(answer).toEqual({ data: { agentUpdates: { kind: 'SNAPSHOT', agents: [], b: [], c: [] } } });
  });

  test('counts what links multiply', async () => {
    await using server = await startLinkedServer(500);
    const answer = await overSocket(server, 'subscription { agentUpdates { agents { id swarm { agents { id } } } } }');
    expect(codes(answer)).toEqual(['LIMIT_EXCEEDED']);
    expect(answer.data).toBeNull();
    expect(hits(server)).toBe(1);
  });

  test('counts the tasks that match the filters', async () => {
    await using server = await startLinkedServer(250);
    const tasks = Array.from({ length: 300 }, (_, index) => taskWith(`t${index}`));
    server.store.commit({ ...emptyDelta('x'), tasks });
    expect(codes(await overSocket(server, 'subscription { taskUpdates { tasks { id title } } }'))).toEqual([
      'LIMIT_EXCEEDED',
    ]);
    expect(await overSocket(server, 'subscription { taskUpdates(agentIds: ["x:1"]) { tasks { id title } } }')).toEqual({
      data: { taskUpdates: { tasks: [{ id: 'x:t', title: null }] } },
    });
  });

  test('counts each update with links by itself, and sends the current state of the linked items', async () => {
    await using server = await startLinkedServer(100, 5);
    await using client = await RawGraphqlWsClient.open(server, null);
    await client.until(({ messages }) => messages.length === 1);
    const select = 'agents { id swarm { agents { id } } parent { status } tasks { id } }';
    client.run('1', `subscription { agentUpdates(mode: HIGH_FREQUENCY) { ${select} } }`);
    await client.until(() => client.of('1').length === 1);
    for (let round = 1; round <= 20; round += 1) {
      server.show(1, 2, round);
      linkAgents(server);
      await client.until(() => client.of('1').length > round);
    }
    const agents: unknown = expect.arrayContaining(['x:0', 'x:1', 'x:2', 'x:3', 'x:4'].map((id) => ({ id })));
    const common = { swarm: { agents }, tasks: [{ id: 'x:t' }] };
    expect(client.of('1').at(-1)).toEqual({
      data: { agentUpdates: { agents: [{ ...common, id: 'x:1', parent: { status: 'ACTIVE' } }] } },
    });
  });

  test('counts each event of a subscription by itself', async () => {
    await using server = await startServer(20, 1);
    await using client = await RawGraphqlWsClient.open(server, null);
    await client.until(({ messages }) => messages.length === 1);
    client.run(
      '1',
      'subscription { performanceMetrics(mode: HIGH_FREQUENCY) { totalAgents agentsByStatus { status count } } }',
    );
    for (let round = 1; round <= 30; round += 1) {
      server.show(0, 1, round);
      await client.until(() => client.of('1').length >= round);
    }
    expect(client.of('1').every((payload) => !('errors' in (payload as object)))).toBe(true); // payload of `next`
  });
});

describe('counts and lookups', () => {
  test.each<[string, string, object]>([
    ['agents per swarm', '{ swarms { agentCount } }', { swarms: [{ agentCount: 1 }] }],
    [
      'agents per server',
      '{ servers { agentCount } health { servers { agentCount } } discovery { totalAgents } }',
      {
        servers: [{ agentCount: AGENTS }],
        health: { servers: [{ agentCount: AGENTS }] },
        discovery: { totalAgents: AGENTS },
      },
    ],
    [
      'agents of a swarm',
      '{ agents(swarmIds: ["x:s"]) { id } topology(swarmId: "x:s") { agents { id } edges { id } } }',
      { agents: [{ id: 'x:0' }], topology: { agents: [{ id: 'x:0' }], edges: [] } },
    ],
    [
      'agents of a type',
      '{ agents(agentTypes: ["none"]) { id } agent(id: "x:1") { id } }',
      { agents: [], agent: { id: 'x:1' } },
    ],
    ['agents of a server type', '{ agents(serverTypes: [DAA]) { id } }', { agents: [] }],
    [
      'links',
      '{ agent(id: "x:0") { children { id } tasks { id } swarm { agents { id } } } tasks(agentIds: ["x:0"]) { id } }',
      { agent: { children: [], tasks: [], swarm: { agents: [{ id: 'x:0' }] } }, tasks: [] },
    ],
  ])('answer %s without a visit of all agents, edges and tasks', async (_, query, expected) => {
    await using server = await startServer(1_000_000);
    const [agent] = server.store.agents.values();
    if (agent === undefined) throw new Error('no agent');
    const swarm = swarmWith('s');
    server.store.commit({ ...emptyDelta('x'), swarms: [swarm], agents: [{ ...agent, swarmId: 'x:s' }] });
    const { agents, edges, tasks } = server.store;
    const visits = [agents, edges, tasks].map((items) => vi.spyOn(items, 'values'));
    const { data, errors } = await overHttp(server, query);
    expect(errors).toBeUndefined();
    expect(visits.map(({ mock }) => mock.calls.length)).toEqual([0, 0, 0]);
    expect(data).toEqual(expected);
  });
});

describe('AnswerBudget', () => {
  const info = (selection: string): GraphQLResolveInfo => {
    const { definitions } = parse(`{ list ${selection} }`);
    const [operation] = definitions;
    const fieldNodes = operation?.kind === Kind.OPERATION_DEFINITION ? operation.selectionSet.selections : [];
    return { fieldNodes, fragments: {}, variableValues: {}, rootValue: undefined } as unknown as GraphQLResolveInfo; // all that is read
  };

  function budgetOf(maxValues: number): { budget: AnswerBudget; turns: () => number } {
    let turns = 0;
    const next = (): Promise<void> => {
      turns += 1;
      return nextTurn();
    };
    const budget = new AnswerBudget({ maxValues, turns: { next }, onExceeded: () => undefined });
    return { budget, turns: () => turns };
  }

  const items = Array.from({ length: 10_000 }, (_, index) => index);

  test('yields the items of a long list over several turns, and reports that it does', async () => {
    const { budget, turns } = budgetOf(1_000_000);
    const sliced = budget.takeList(items, info('{ a b c d e }')) as readonly Promise<number>[]; // the list is long
    const received: number[] = [];
    for (const [index, item] of sliced.entries()) {
      // 50,000 values in parts of 1,000, the first in this turn.
      if (index % 200 === 0) expect([turns(), budget.isSlicing]).toEqual([index / 200, true]);
      received.push(await item);
    }
    expect(received).toEqual(items);
    expect(turns()).toBe(49);
    expect(budget.isSlicing).toBe(false);
  });

  test('returns a short list unchanged', () => {
    const { budget, turns } = budgetOf(1_000_000);
    const short = items.slice(0, 100);
    expect(budget.takeList(short, info('{ a b c d e }'))).toBe(short);
    expect([turns(), budget.isSlicing]).toEqual([0, false]);
  });

  test('yields the items of many short lists over several turns, several lists in each', async () => {
    const { budget, turns } = budgetOf(1_000_000);
    const short = items.slice(0, 100);
    const lists = Array.from({ length: 30 }, () => budget.takeList(short, info('{ a b c d e }')));
    // 2,000 of the 15,000 values are in the first turn, and 1,000 in each further one.
    expect(lists.slice(0, 4).every((list) => list === short)).toBe(true);
    const later = lists.slice(4) as (readonly Promise<number>[])[]; // the lists before them are long
    for (const list of later) expect(await Promise.all(list)).toEqual(short);
    expect(turns()).toBe(13);
  });

  test('rejects the items of all lists when the answer exceeds the budget', async () => {
    const { budget } = budgetOf(30_000);
    const sliced = budget.takeList(items, info('{ a b }')) as readonly Promise<number>[]; // the list is long
    expect(() => budget.takeList(items, info('{ a b }'))).toThrow('more than 30000 values');
    const results = await Promise.allSettled(sliced);
    expect(results.filter(({ status }) => status === 'fulfilled')).toEqual([]);
    expect(budget.isSlicing).toBe(false);
  });
});
