import { describe, expect, test } from 'vitest';
import type { McpServerType } from '../../src/model/index.js';
import type { ServerMapping } from '../../src/adapters/index.js';
import { type Answer, rigOf } from './fake-server.js';

const LIST = { text: 'agents', keys: ['agents'] };
const MAPPING: ServerMapping = {
  agents: [
    {
      place: 'mapping.agents',
      tool: 'list',
      arguments: {},
      shape: 'list',
      path: LIST,
      fields: { id: { from: 'path', path: { text: 'id', keys: ['id'] }, scale: 1 } },
      statuses: new Map(),
    },
  ],
  swarms: null,
};
const BARE_MAPPING: ServerMapping = {
  ...MAPPING,
  agents: MAPPING.agents.map((source) => ({ ...source, path: { text: '', keys: [] } })),
};

const ADAPTERS: readonly (readonly [McpServerType, string, string])[] = [
  ['CLAUDE_FLOW', 'agent_list', 'agentId'],
  ['CLAUDE_FLOW', 'agent/list', 'id'],
  ['RUV_SWARM', 'agent_list', 'id'],
  ['DAA', 'list_agents', 'id'],
  ['CUSTOM', 'list', 'id'],
];

describe.each(ADAPTERS)('adapter of a %s server with %s', (type, tool, idKey) => {
  const entry = (id: unknown): object => ({ [idKey]: id, status: 'idle' });
  const poll = (answer: Answer) => rigOf(type, { [tool]: answer }, MAPPING).poll();

  test('reports a failure when no entry is usable', async () => {
    for (const agents of [
      [{ uuid: 'a' }, { uuid: 'b' }],
      ['a', 'b'],
      [entry(7.5), entry('')],
    ].slice(0, type === 'CUSTOM' ? 2 : 3)) {
      const report = await poll({ agents });
      expect(report.agents).toEqual([]);
      expect(report.failures).toEqual([{ tool, message: expect.stringMatching(/^None of the 2 entries/) }]);
    }
  });

  test('reports an omission and the other agents when one entry is malformed', async () => {
    const report = await poll({ agents: [entry('a'), { uuid: 'b' }, entry('c')] });
    expect(report.agents.map(({ nativeId }) => nativeId)).toEqual(['a', 'c']);
    expect(report.failures).toEqual([]);
    expect(report.omissions).toEqual([
      { tool, message: expect.stringMatching(/^Omitted 1 of 3 entries, most recently: /) },
    ]);
  });

  test('reports an omission when two entries have the same id', async () => {
    expect((await poll({ agents: [entry('a'), entry('a')] })).omissions).toEqual([
      { tool, message: expect.stringContaining('Duplicate id') },
    ]);
  });

  test('ends an omission with the next complete response', async () => {
    const rig = rigOf(type, { [tool]: { agents: [entry('a'), {}] } }, MAPPING);
    expect(await rig.poll()).toHaveProperty('omissions');
    rig.server.answers.set(tool, { agents: [entry('a')] });
    rig.clock.advance(1_000);
    expect(await rig.poll()).not.toHaveProperty('omissions');
  });

  test('combines the lists of several parts, and rejects a part that could not be read', async () => {
    const report = await poll([{ agents: [entry('a')] }, { total: 3 }, { agents: [entry('b')] }, '{"agents": [{']);
    expect(report.agents.map(({ nativeId }) => nativeId)).toEqual(['a', 'b']);
    expect(report.omissions).toEqual([{ tool, message: expect.stringMatching(/^Omitted 1 of 3 entries/) }]);
  });
});

test.each(ADAPTERS.slice(0, 4))(
  'adapter of a %s server with %s reads a list without an object',
  async (type, tool, idKey) => {
    const report = await rigOf(type, { [tool]: [{ [idKey]: 'a' }, { [idKey]: 'b' }] }).poll();
    expect(report.agents).toHaveLength(2);
  },
);

test.each([
  ['a list', [{ id: 'a' }, { id: 'b' }], ['a', 'b']],
  ['the only entry', { id: 'a' }, ['a']],
  ['an empty list', [], []],
  ['structured content with a result', { result: [{ id: 'a' }, { id: 'b' }] }, ['a', 'b']],
])('CustomAdapter with a list as the whole response reads %s', async (_title, answer, ids) => {
  const report = await rigOf('CUSTOM', { list: answer }, BARE_MAPPING).poll();
  expect(report.agents.map(({ nativeId }) => nativeId)).toEqual(ids);
  expect(report.failures).toEqual([]);
});

describe('reported failures', () => {
  test.each([
    ['an error object', { success: false, error: { code: 7, message: 'no such swarm' } }, 'no such swarm'],
    ['a failure in the result', { ok: true, result: { success: false, error: 'not found' } }, 'not found'],
    ['a failure in the data', { data: { success: false } }, 'The tool reports a failure'],
  ])('include %s', async (_title, answer, message) => {
    const rig = rigOf('CLAUDE_FLOW', { agent_list: { agents: [] }, daa_learning_status: answer });
    expect((await rig.poll()).failures).toEqual([{ tool: 'daa_learning_status', message }]);
  });
});
