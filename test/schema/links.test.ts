import { parse } from 'graphql';
import { describe, expect, test } from 'vitest';
import { ANONYMOUS_VIEWER, type Viewer } from '../../src/auth/index.js';
import { UNRESTRICTED } from '../../src/model/index.js';
import { AccessSetup, createRestrictedViewer, FakeUpstreams } from '../access/access-setup.js';
import { agentWith, swarmWith, taskWith } from '../state/fixed-state.js';
import { EPOCH_TIME, serverOf } from '../support/arbitraries.js';
import { settled } from '../support/manual-clock.js';

const USAGE = {
  inputTokens: 1,
  outputTokens: null,
  cacheReadTokens: null,
  cacheWriteTokens: null,
  totalTokens: 1,
  costUsd: null,
  costEstimated: false,
  complete: true,
};

/** A lead with two children in one swarm, and an agent that refers to an unknown parent, swarm and task. */
function setUp(): AccessSetup {
  const setup = new AccessSetup(new FakeUpstreams(['x']));
  const child = { parentId: 'x:lead', swarmId: 'x:s', usage: USAGE };
  const agents = [
    agentWith('lead', { swarmId: 'x:s', type: 'queen', usage: USAGE }),
    agentWith('a', { ...child, currentTaskId: 'x:t' }),
    agentWith('b', child),
    agentWith('alone', { parentId: 'x:gone', swarmId: 'x:none' }),
  ];
  const tasks = [
    taskWith('t', { agentIds: ['x:a', 'x:lead'], swarmId: 'x:s' }),
    taskWith('u', { agentIds: ['x:lead', 'x:gone'], dependsOnIds: ['x:t', 'x:v'] }),
    taskWith('v', { status: 'COMPLETED' }),
  ];
  const { store } = setup;
  store.commit(store.diff({ server: serverOf('x'), agents, swarms: [swarmWith('s')], edges: [], tasks }, EPOCH_TIME));
  return setup;
}

async function ask(setup: AccessSetup, query: string, viewer: Viewer = ANONYMOUS_VIEWER): Promise<unknown> {
  const { data, errors } = await setup.run(parse(query), viewer);
  expect(errors).toBeUndefined();
  return data;
}

describe('links', () => {
  test('lead to server, swarm, parent, children and tasks of an agent, and to the agents of a swarm', async () => {
    using setup = setUp();
    const answer = await ask(
      setup,
      `{ lead: agent(id: "x:lead") { server { id } swarm { id agents { nativeId } } parent { id } children { nativeId } tasks { nativeId } }
         a: agent(id: "x:a") { parent { nativeId children { nativeId } } children { id } tasks { nativeId status } currentTaskId } }`,
    );
    expect(answer).toEqual({
      lead: {
        server: { id: 'x' },
        swarm: { id: 'x:s', agents: [{ nativeId: 'lead' }, { nativeId: 'a' }, { nativeId: 'b' }] },
        parent: null,
        children: [{ nativeId: 'a' }, { nativeId: 'b' }],
        tasks: [{ nativeId: 't' }, { nativeId: 'u' }],
      },
      a: {
        parent: { nativeId: 'lead', children: [{ nativeId: 'a' }, { nativeId: 'b' }] },
        children: [],
        tasks: [{ nativeId: 't', status: 'PENDING' }],
        currentTaskId: 'x:t',
      },
    });
  });

  test('are null when the item is unknown, and keep its id', async () => {
    using setup = setUp();
    const answer = await ask(setup, '{ agent(id: "x:alone") { parentId parent { id } swarmId swarm { id } } }');
    expect(answer).toEqual({ agent: { parentId: 'x:gone', parent: null, swarmId: 'x:none', swarm: null } });
  });

  test('follow a change of the parent, its end and its return', async () => {
    using setup = setUp();
    const { store } = setup;
    const children = async (id: string): Promise<unknown> =>
      ask(setup, `{ agent(id: "${id}") { children { nativeId } } }`);
    const show = (agents: readonly ReturnType<typeof agentWith>[]): void =>
      store.commit(store.diff({ server: serverOf('x'), agents, swarms: [], edges: [], tasks: [] }, EPOCH_TIME));
    show([agentWith('p'), agentWith('q'), agentWith('c', { parentId: 'x:p' })]);
    expect(await children('x:p')).toEqual({ agent: { children: [{ nativeId: 'c' }] } });
    show([agentWith('p'), agentWith('q'), agentWith('c', { parentId: 'x:q' })]);
    expect(await children('x:p')).toEqual({ agent: { children: [] } });
    show([agentWith('p'), agentWith('c', { parentId: 'x:q' })]);
    expect(await ask(setup, '{ agent(id: "x:c") { parentId parent { id } } }')).toEqual({
      agent: { parentId: 'x:q', parent: null },
    });
    show([agentWith('q'), agentWith('c', { parentId: 'x:q' })]);
    expect(await children('x:q')).toEqual({ agent: { children: [{ nativeId: 'c' }] } });
  });

  test('end at what a viewer cannot see', async () => {
    using setup = setUp();
    const viewer = createRestrictedViewer({ ...UNRESTRICTED, agentTypes: ['coder'] });
    const answer = await ask(
      setup,
      `{ agents { nativeId parentId currentTaskId parent { id } children { id } swarm { agents { nativeId } } tasks { nativeId agentIds dependsOnIds } }
         tasks { nativeId } }`,
      viewer,
    );
    const swarm = { agents: [{ nativeId: 'a' }, { nativeId: 'b' }] };
    const none = { parentId: null, currentTaskId: null, parent: null, children: [], swarm, tasks: [] };
    expect(answer).toEqual({
      agents: [
        {
          ...none,
          nativeId: 'a',
          currentTaskId: 'x:t',
          tasks: [{ nativeId: 't', agentIds: ['x:a'], dependsOnIds: [] }],
        },
        { ...none, nativeId: 'b' },
        { ...none, nativeId: 'alone', swarm: null },
      ],
      tasks: [{ nativeId: 't' }],
    });
  });

  test('lack what the include arguments of the stream exclude', async () => {
    using setup = setUp();
    const select =
      'agents { nativeId usage { totalTokens } parent { usage { totalTokens } } children { usage { totalTokens } } }';
    const used = { usage: { totalTokens: 1 } };
    for (const [args, usage] of [
      ['', used],
      ['(includePerformance: false)', { usage: null }],
    ] as const) {
      const stream = await setup.listen(`subscription { agentUpdates${args} { ${select} } }`, ANONYMOUS_VIEWER);
      await settled();
      await stream.close();
      expect(stream.received).toMatchObject([
        {
          agents: [
            { ...usage, nativeId: 'lead', parent: null, children: [usage, usage] },
            { ...usage, nativeId: 'a', parent: usage },
            { ...usage, nativeId: 'b', parent: usage },
            { nativeId: 'alone' },
          ],
        },
      ]);
    }
  });

  test('lead to the last value of a server that was removed while an answer is executed', () => {
    using setup = setUp();
    const { store } = setup;
    const server = store.servers.get('x');
    store.commit(store.removalDelta('x'));
    expect(store.serverOfItem('x')).toBe(server);
    expect(() => store.serverOfItem('never')).toThrow('The server never of an item is unknown.');
  });
});

describe('Query.tasks', () => {
  test.each([
    ['', ['t', 'u', 'v']],
    ['(serverTypes: [RUV_SWARM])', ['t', 'u', 'v']],
    ['(serverTypes: [DAA])', []],
    ['(serverTypes: [])', []],
    ['(swarmIds: ["x:s"])', ['t']],
    ['(agentIds: ["x:a", "x:lead"])', ['t', 'u']],
    ['(agentIds: ["x:gone", "nowhere"])', ['u']],
    ['(statuses: [COMPLETED, FAILED])', ['v']],
    ['(statuses: [])', []],
    ['(agentIds: ["x:lead"], swarmIds: ["x:s"], statuses: [PENDING])', ['t']],
  ])('with the arguments %s returns exactly the matching tasks', async (args, expected) => {
    using setup = setUp();
    expect(await ask(setup, `{ tasks${args} { nativeId } }`)).toEqual({
      tasks: expected.map((nativeId) => ({ nativeId })),
    });
  });

  test.each(['swarmIds', 'agentIds'])('rejects a list of %s that is too long', async (argument) => {
    using setup = setUp();
    const ids = JSON.stringify(Array.from({ length: 201 }, (_, index) => `x:${index}`));
    const { errors } = await setup.run(parse(`{ tasks(${argument}: ${ids}) { id } }`), ANONYMOUS_VIEWER);
    expect(errors).toMatchObject([{ code: 'BAD_USER_INPUT', message: expect.stringContaining(`"${argument}"`) }]);
  });
});
