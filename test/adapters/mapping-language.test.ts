import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ServerMapping } from '../../src/adapters/index.js';
import { mappingSchema } from '../../src/config/mapping.js';
import { ToolCallTimeoutError, ToolRejectedError } from '../../src/mcp/index.js';
import type { ServerReport } from '../../src/model/index.js';
import { growsTooFast } from '../support/growth.js';
import { runs } from '../support/fuzz-inputs.js';
import { agentIn, type Answer, rigOf } from './fake-server.js';

function mappingOf(agents: object, others: object = {}): ServerMapping {
  return mappingSchema.parse({ agents, ...others });
}

/** Polls a server once. */
async function reportOf(answers: Readonly<Record<string, Answer>>, mapping: ServerMapping): Promise<ServerReport> {
  return rigOf('CUSTOM', answers, mapping).poll();
}

function idsOf({ agents }: ServerReport): readonly string[] {
  return agents.map(({ nativeId }) => nativeId);
}

const TEAMS = {
  project: 'apollo',
  teams: [
    { id: 'red', members: [{ id: 1, name: 'ada' }, { id: 2 }] },
    { id: 'blue', members: [{ id: 1, name: 'grace' }] },
    { id: 'green' },
    { id: 'gray', members: null },
  ],
};

describe('nested lists', () => {
  test('reads the entries of all lists with values of the enclosing objects', async () => {
    const mapping = mappingOf({
      tool: 't',
      list: 'teams.*.members',
      fields: {
        id: { template: '{$parent.id}/{id}' },
        name: 'name',
        swarmId: '$parent.id',
        role: '$root.project',
        type: '$parent.$parent.project',
      },
    });
    const report = await reportOf({ t: TEAMS }, mapping);
    expect(
      report.agents.map((agent) => [agent.nativeId, agent.name, agent.swarmNativeId, agent.role, agent.type]),
    ).toEqual([
      ['red/1', 'ada', 'red', 'apollo', 'apollo'],
      ['red/2', 'red/2', 'red', 'apollo', 'apollo'],
      ['blue/1', 'grace', 'blue', 'apollo', 'apollo'],
    ]);
    expect(report).toMatchObject({ failures: [] });
    expect(report.omissions).toBeUndefined();
  });

  test('reads nested maps with the keys of all levels', async () => {
    const answer = { teams: { red: { members: { ada: { state: 'idle' } } }, blue: { members: { ada: {} } } } };
    const mapping = mappingOf({
      tool: 't',
      map: 'teams.*.members',
      fields: { id: { template: '{$parent.$key}-{$key}' }, name: '$key', swarmId: '$parent.$key', status: 'state' },
    });
    const report = await reportOf({ t: answer }, mapping);
    expect(report.agents.map((agent) => [agent.nativeId, agent.name, agent.swarmNativeId, agent.status])).toEqual([
      ['red-ada', 'ada', 'red', 'IDLE'],
      ['blue-ada', 'ada', 'blue', 'UNKNOWN'],
    ]);
  });

  test('reads several levels, and one entry of each', async () => {
    const answer = [{ teams: { red: { lead: { id: 'ada' } } } }, { teams: { blue: { lead: { id: 'grace' } } } }];
    const mapping = mappingOf({ tool: 't', one: '*.teams.*.lead', fields: { id: 'id', swarmId: '$parent.$key' } });
    expect((await reportOf({ t: answer }, mapping)).agents).toMatchObject([
      { nativeId: 'ada', swarmNativeId: 'red' },
      { nativeId: 'grace', swarmNativeId: 'blue' },
    ]);
  });

  test('reads the parts of an answer in several blocks', async () => {
    const mapping = mappingOf({
      tool: 't',
      list: 'teams.*.members',
      fields: { id: { template: '{$parent.id}/{id}' } },
    });
    const answer = [TEAMS, { note: 1 }, { teams: [{ id: 'last', members: [{ id: 1 }] }] }];
    expect(idsOf(await reportOf({ t: answer }, mapping))).toEqual(['red/1', 'red/2', 'blue/1', 'last/1']);
  });

  test('collects the values of a path with * in a field', async () => {
    const mapping = mappingOf({
      tool: 't',
      list: '',
      fields: { id: 'id', capabilities: 'skills.*.name' },
    });
    const answer = [{ id: 'a', skills: [{ name: 'x' }, { nam: 'y' }, { name: 'z' }] }, { id: 'b' }];
    const report = await reportOf({ t: answer }, mapping);
    expect(report.agents.map(({ capabilities }) => capabilities)).toEqual([['x', 'z'], []]);
  });

  test.each<[string, object, string, string]>([
    [
      'the outer list is missing',
      { team: [] },
      'list',
      '"teams" of the response is missing, expected a list or an object',
    ],
    [
      'the outer list is text',
      { teams: 'none' },
      'list',
      '"teams" of the response is text, expected a list or an object',
    ],
    [
      'no part has the inner list',
      { teams: [{ member: [] }, {}] },
      'list',
      '"teams.*.members" of the response is missing, expected a list',
    ],
    [
      'all inner lists are something else',
      { teams: [{ members: 3 }] },
      'map',
      '"teams.*.members" of the response is a number, expected an object of entries',
    ],
  ])('reports a failure with the path when %s', async (_, answer, shape, message) => {
    const mapping = mappingOf({ tool: 't', [shape]: 'teams.*.members', fields: { id: 'id' } });
    expect((await reportOf({ t: answer }, mapping)).failures).toEqual([
      { tool: 't', message: `${message} (mapping.agents.${shape})` },
    ]);
  });

  test('reports an omission when one of the inner lists is something else', async () => {
    const answer = { teams: [{ members: [{ id: 'a' }] }, { members: 'all' }] };
    const report = await reportOf(
      { t: answer },
      mappingOf({ tool: 't', list: 'teams.*.members', fields: { id: 'id' } }),
    );
    expect(idsOf(report)).toEqual(['a']);
    expect(report.omissions).toEqual([
      { tool: 't', message: 'teams.*.members: Expected a list (mapping.agents.list)' },
    ]);
  });

  test.each([{ teams: [] }, { teams: {} }, { teams: null }, { teams: [{ members: [] }] }])(
    'reads %j as no entries',
    async (answer) => {
      const report = await reportOf(
        { t: answer },
        mappingOf({ tool: 't', list: 'teams.*.members', fields: { id: 'id' } }),
      );
      expect(report).toMatchObject({ agents: [], failures: [] });
      expect(report.omissions).toBeUndefined();
    },
  );
});

describe('where', () => {
  const ENTRIES = [
    { id: 'a', kind: 'agent', state: 'up', level: 1, tags: ['x'] },
    { id: 'b', kind: 'agent', state: 'down', level: 2, retired: true, tags: ['x', 'y'] },
    { id: 'c', kind: 'tool', level: '2', retired: null },
  ];

  test.each<[string, object, readonly string[]]>([
    ['a text', { kind: 'agent' }, ['a', 'b']],
    ['a number or its text', { level: 2 }, ['b', 'c']],
    ['true', { retired: true }, ['b']],
    ['one of several values', { state: ['up', 'down'] }, ['a', 'b']],
    ['an existing value', { retired: { exists: true } }, ['b']],
    ['a missing value', { retired: { exists: false } }, ['a', 'c']],
    ['another value', { kind: { not: 'tool' } }, ['a', 'b']],
    ['another value or none', { state: { not: ['up', 'x'] } }, ['b', 'c']],
    ['an element of a list', { tags: 'y' }, ['b']],
    ['several conditions', { kind: 'agent', level: { not: 2 } }, ['a']],
    ['a value of the enclosing object', { '$parent.open': true, kind: 'tool' }, ['c']],
  ])('keeps the entries with %s', async (_, where, expected) => {
    const mapping = mappingOf({ tool: 't', list: 'all', where, fields: { id: 'id' } });
    const report = await reportOf({ t: { open: true, all: ENTRIES } }, mapping);
    expect(idsOf(report)).toEqual(expected);
    expect(report.omissions).toBeUndefined();
  });

  test('reports an omission when no entry has the value', async () => {
    const mapping = mappingOf({ tool: 't', list: '', where: { knd: 'agent' }, fields: { id: 'id' } });
    const report = await reportOf({ t: ENTRIES }, mapping);
    expect(report).toMatchObject({
      agents: [],
      omissions: [{ tool: 't', message: 'Omitted all 3 entries, because none has "knd" (mapping.agents.where)' }],
    });
  });

  test('reports nothing when the value of all entries is another one', async () => {
    const mapping = mappingOf({ tool: 't', list: '', where: { kind: 'swarm' }, fields: { id: 'id' } });
    const report = await reportOf({ t: ENTRIES }, mapping);
    expect(report).toMatchObject({ agents: [], failures: [] });
    expect(report.omissions).toBeUndefined();
  });
});

describe('fields', () => {
  test('use the first alternative that has a value', async () => {
    const mapping = mappingOf({
      tool: 't',
      list: '',
      fields: {
        id: ['uuid', { template: 'n-{number}' }],
        name: ['title', 'name', { value: 'anonymous' }],
        model: ['llm.model', 'model'],
      },
    });
    const answer = [
      { uuid: 'a', title: '', name: 'ada', model: 'opus' },
      { number: 7, llm: { model: 'sonnet' } },
    ];
    const report = await reportOf({ t: answer }, mapping);
    expect(report.agents.map(({ nativeId, name, model }) => [nativeId, name, model])).toEqual([
      ['a', 'ada', 'opus'],
      ['n-7', 'anonymous', 'sonnet'],
    ]);
  });

  test.each<[string, unknown, string | null]>([
    ['RFC 3339', '2026-11-23T15:02:56Z', '2026-11-23T15:02:56.000Z'],
    ['seconds since the epoch', 1_795_446_176, '2026-11-23T15:02:56.000Z'],
    ['seconds with a fraction', 1_795_446_176.25, '2026-11-23T15:02:56.250Z'],
    ['milliseconds since the epoch', 1_795_446_176_000, '2026-11-23T15:02:56.000Z'],
    ['seconds as text', '1795446176', '2026-11-23T15:02:56.000Z'],
    ['milliseconds as text', '1795446176000', '2026-11-23T15:02:56.000Z'],
    ['RFC 2822', 'Mon, 23 Nov 2026 16:02:56 +0100', '2026-11-23T15:02:56.000Z'],
    ['RFC 2822 without a weekday', '23 Nov 2026 15:02:56 GMT', '2026-11-23T15:02:56.000Z'],
    ['RFC 2822 with the name of a zone', 'Mon, 23 Nov 2026 10:02:56 EST', '2026-11-23T15:02:56.000Z'],
    ['RFC 2822 without a zone', 'Mon, 3 Nov 2026 15:02', '2026-11-03T15:02:00.000Z'],
    [
      'the text of JavaScript',
      'Mon Nov 23 2026 16:02:56 GMT+0100 (Central European Standard Time)',
      '2026-11-23T15:02:56.000Z',
    ],
    ['a day', '2026-11-23', '2026-11-23T00:00:00.000Z'],
    ['a duration', 3_600, null],
    ['a word', 'yesterday', null],
    ['a day that does not exist', '99 Nov 2026 15:02:56 GMT', null],
  ])('read a time as %s', async (_, time, expected) => {
    const rig = rigOf(
      'CUSTOM',
      { t: [{ id: 'a', time }] },
      mappingOf({ tool: 't', list: '', fields: { id: 'id', createdAt: 'time' } }),
    );
    expect(agentIn(await rig.poll(), 'a').createdAt).toBe(expected);
    expect(rig.adapter.rejectedCount).toBe(expected === null ? 1 : 0);
  });

  test.each<[string, unknown, number | null]>([
    ['a text', '12.5', 12.5],
    ['an exponent', ' 1e3 ', 1000],
    ['a percentage', '45 %', 0.45],
    ['a word', 'many', null],
    ['a hexadecimal text', '0x10', null],
    ['a blank text', ' ', null],
  ])('read a number from %s', async (_, tokens, expected) => {
    const mapping = mappingOf({
      tool: 't',
      list: '',
      fields: { id: 'id', tokenUsage: 'tokens', cpuUsage: { path: 'cpu', scale: 0.01 } },
    });
    const { performance } = agentIn(await reportOf({ t: [{ id: 'a', tokens, cpu: '50' }] }, mapping), 'a');
    expect(performance).toMatchObject({ tokenUsage: expected, cpuUsage: 0.5 });
  });

  test('read lists with commas', async () => {
    const mapping = mappingOf(
      { tool: 't', list: 'agents', fields: { id: 'id', capabilities: 'skills' } },
      { swarms: { tool: 't', list: 'swarms', fields: { id: 'id', agentIds: 'members' } } },
    );
    const answer = { agents: [{ id: 'a', skills: 'x, y,,z ' }], swarms: [{ id: 's', members: 'b, a' }] };
    expect((await reportOf({ t: answer }, mapping)).agents).toMatchObject([
      { capabilities: ['x', 'y', 'z'], swarmNativeId: 's' },
    ]);
  });

  test('read all matches of a pattern as a list', async () => {
    const pattern = '`([0-9a-f-]+)`';
    const mapping = mappingSchema.parse({
      tasks: {
        tool: 't',
        list: '',
        fields: { id: 'id', dependsOnIds: { path: 'after', pattern, all: true } },
      },
    });
    const answer = [
      { id: 'a', after: '`1-a`, `2-b` and `3-c`' },
      { id: 'b', after: 'none' },
    ];
    const { tasks = [], omissions } = await reportOf({ t: answer }, mapping);
    expect(tasks.map(({ dependsOnNativeIds }) => dependsOnNativeIds)).toEqual([['1-a', '2-b', '3-c'], []]);
    expect(omissions).toBeUndefined();
  });

  test('read a part of a text, or of the first text of a list that has it', async () => {
    const observed = (pattern: string): object => ({ path: 'notes', pattern });
    const mapping = mappingOf({
      tool: 't',
      list: '',
      fields: {
        id: 'id',
        status: observed('^status: (\\w+)'),
        model: observed('^model: (?<model>.+)$'),
        tokenUsage: observed('(\\d+) tokens'),
      },
    });
    const answer = [
      { id: 'a', notes: ['likes Lisp', 'status: busy', 'model: opus 5', 'used 12 tokens'] },
      { id: 'b', notes: 'status: idle' },
      { id: 'c', notes: 3 },
    ];
    const report = await reportOf({ t: answer }, mapping);
    expect(report.agents.map(({ status, model, performance }) => [status, model, performance?.tokenUsage])).toEqual([
      ['BUSY', 'opus 5', 12],
      ['IDLE', null, undefined],
      ['UNKNOWN', null, undefined],
    ]);
  });
});

describe('text patterns', () => {
  const TEXT = '# Agents\n\n- [a1] **Ada** (busy)\n- [b2] **Grace**\n\nTotal: 2\n';
  const PATTERN = '^- \\[(?<id>\\w+)\\] \\*\\*(?<name>[^*]+)\\*\\*(?: \\((?<state>\\w+)\\))?';

  test('read entries from a text answer', async () => {
    const mapping = mappingOf({ tool: 't', pattern: PATTERN, fields: { id: 'id', name: 'name', status: 'state' } });
    const report = await reportOf({ t: TEXT }, mapping);
    expect(report.agents.map(({ nativeId, name, status }) => [nativeId, name, status])).toEqual([
      ['a1', 'Ada', 'BUSY'],
      ['b2', 'Grace', 'UNKNOWN'],
    ]);
  });

  test('read entries from a text in JSON, with values beside it', async () => {
    const mapping = mappingOf({
      tool: 't',
      pattern: PATTERN,
      text: 'report.body',
      fields: { id: 'id', swarmId: '$parent.swarm' },
    });
    const report = await reportOf({ t: { swarm: 's', report: { body: TEXT } } }, mapping);
    expect(report.agents).toMatchObject([{ nativeId: 'a1', swarmNativeId: 's' }, { nativeId: 'b2' }]);
  });

  test('report a failure when nothing matches', async () => {
    const mapping = mappingOf({ tool: 't', pattern: PATTERN, fields: { id: 'id' } });
    expect((await reportOf({ t: 'No agents' }, mapping)).failures).toEqual([
      { tool: 't', message: 'The pattern matches nothing in the text (mapping.agents.pattern)' },
    ]);
    expect((await reportOf({ t: '\n' }, mapping)).failures).toEqual([]);
  });

  test('report an omission when the text is too long', async () => {
    const mapping = mappingOf({ tool: 't', pattern: '^(?<id>a\\d+)$', fields: { id: 'id' } });
    const report = await reportOf({ t: `a1\n${'filler\n'.repeat(50_000)}a2` }, mapping);
    expect(idsOf(report)).toEqual(['a1']);
    expect(report.omissions).toEqual([
      { tool: 't', message: 'Only the first 65000 characters are read (mapping.agents.pattern)' },
    ]);
  });
});

describe('empty', () => {
  const mapping = mappingOf({
    tool: 't',
    list: 'agents',
    empty: ['no swarm', { pattern: '^Error 404\\b' }, { where: { state: 'not_started' } }],
    fields: { id: 'id' },
  });

  test.each<[string, unknown]>([
    ['a text', 'There is NO SWARM yet.'],
    ['an error', new ToolRejectedError('no swarm has been created', -32603)],
    ['a text that matches the pattern', 'Error 404: nothing here'],
    ['an object', { state: 'not_started' }],
    ['a failure in an ordinary result', { success: false, error: 'No swarm' }],
  ])('reads %s as no entries', async (_, answer) => {
    const report = await reportOf({ t: answer }, mapping);
    expect(report).toMatchObject({ agents: [], failures: [] });
    expect(report.omissions).toBeUndefined();
  });

  test.each<[string, unknown]>([
    ['another text', 'There are three swarms.'],
    ['another error', new ToolRejectedError('not allowed', -32603)],
    ['another object', { state: 'crashed' }],
  ])('does not read %s as no entries', async (_, answer) => {
    expect((await reportOf({ t: answer }, mapping)).failures).toHaveLength(1);
  });

  test('removes the agents that were known before', async () => {
    const rig = rigOf('CUSTOM', { t: { agents: [{ id: 'a' }] } }, mapping);
    expect(idsOf(await rig.poll())).toEqual(['a']);
    rig.server.answers.set('t', 'no swarm');
    expect(idsOf(await rig.poll())).toEqual([]);
  });
});

describe('pages', () => {
  const source = {
    tool: 't',
    arguments: { limit: 2 },
    list: 'agents',
    pages: { cursor: 'next', argument: 'after', max: 3 },
    fields: { id: 'id' },
  };
  const paged = (pages: readonly object[]) => (args: Readonly<Record<string, unknown>>) =>
    pages[Number(args['after'] ?? 0)];

  test('reads all pages', async () => {
    const pages = [
      { agents: [{ id: 'a' }, { id: 'b' }], next: 1 },
      { agents: [{ id: 'c' }], next: '2' },
      { agents: [], next: null },
    ];
    const rig = rigOf('CUSTOM', { t: paged(pages) }, mappingOf(source));
    const report = await rig.poll();
    expect(idsOf(report)).toEqual(['a', 'b', 'c']);
    expect(report.omissions).toBeUndefined();
    expect(rig.server.calls.map(({ args }) => args)).toEqual([
      { limit: 2 },
      { limit: 2, after: 1 },
      { limit: 2, after: '2' },
    ]);
  });

  test('reports an omission when a cursor repeats', async () => {
    const rig = rigOf('CUSTOM', { t: { agents: [{ id: 'a' }], next: 0 } }, mappingOf(source));
    const report = await rig.poll();
    expect(idsOf(report)).toEqual(['a']);
    expect(rig.server.calls).toHaveLength(2);
    expect(report.omissions).toEqual([
      { tool: 't', message: 'agents: The cursor of page 2 repeats (mapping.agents.pages.cursor)' },
    ]);
  });

  test('reports an omission when there are too many pages', async () => {
    let page = 0;
    const answer = (): object => ({ agents: [{ id: `a${page}` }], next: (page += 1) });
    const rig = rigOf('CUSTOM', { t: answer }, mappingOf(source));
    const report = await rig.poll();
    expect(rig.server.calls).toHaveLength(3);
    expect(report.omissions).toEqual([{ tool: 't', message: 'agents: More than 3 pages (mapping.agents.pages.max)' }]);
  });

  test('keeps the last agents when a page fails', async () => {
    const pages: object[] = [{ agents: [{ id: 'a' }], next: 1 }, { agents: [{ id: 'b' }] }];
    const rig = rigOf('CUSTOM', { t: paged(pages) }, mappingOf(source));
    await rig.poll();
    pages[1] = new ToolRejectedError('gone', -32603);
    expect(await rig.poll()).toMatchObject({
      agents: [
        { nativeId: 'a', stale: true },
        { nativeId: 'b', stale: true },
      ],
      failures: [{ tool: 't', message: 'gone' }],
    });
  });
});

describe('join', () => {
  const mapping = mappingOf({
    tool: 'agents',
    list: '',
    join: {
      metrics: { tool: 'metrics', map: 'by_agent', on: '$key' },
      jobs: { tool: 'jobs', list: '', where: { open: true }, on: 'owner', to: 'name' },
    },
    fields: { id: 'id', cpuUsage: '$metrics.cpu', currentTaskId: '$jobs.id', name: 'name' },
  });
  const answers = {
    agents: [
      { id: 1, name: 'ada' },
      { id: 2, name: 'grace' },
    ],
    metrics: { by_agent: { 1: { cpu: 0.5 }, 3: { cpu: 1 } } },
    jobs: [
      { id: 'j1', owner: 'grace', open: false },
      { id: 'j2', owner: 'grace', open: true },
    ],
  };

  test('adds the values of a second tool by id', async () => {
    const report = await reportOf(answers, mapping);
    expect(
      report.agents.map((agent) => [agent.nativeId, agent.performance?.cpuUsage, agent.currentTaskNativeId]),
    ).toEqual([
      ['1', 0.5, null],
      ['2', undefined, 'j2'],
    ]);
    expect(report.failures).toEqual([]);
  });

  test.each<[string, unknown, string]>([
    ['rejects the call', new ToolRejectedError('not now', -32603), 'not now'],
    ['does not answer', new ToolCallTimeoutError('late'), 'late'],
    [
      'answers something else',
      { by: 1 },
      '"by_agent" of the response is missing, expected an object of entries (mapping.agents.join.metrics.map)',
    ],
  ])('keeps the agents when the second tool %s', async (_, answer, message) => {
    const report = await reportOf({ ...answers, metrics: answer }, mapping);
    expect(report.agents).toMatchObject([{ nativeId: '1', stale: false, performance: null }, { nativeId: '2' }]);
    expect(report.failures).toEqual([{ tool: 'metrics', message }]);
  });

  test('reports a failure when no joined entry has an id', async () => {
    const report = await reportOf({ ...answers, jobs: [{ id: 'j', open: true }] }, mapping);
    expect(report.failures).toEqual([
      { tool: 'jobs', message: 'None of the 1 entries of "jobs" has an id at "owner" (mapping.agents.join.jobs.on)' },
    ]);
  });

  test('reports a second tool that the server does not offer', async () => {
    const { metrics: _metrics, ...others } = answers;
    expect((await reportOf(others, mapping)).failures).toEqual([
      { tool: 'metrics', message: 'The server offers no such tool (mapping.agents.join.metrics.tool)' },
    ]);
  });
});

describe('detail', () => {
  const source = {
    tool: 'list',
    list: '',
    detail: { tool: 'get', arguments: { id: '{id}', options: ['{name}!', true] }, max: 3 },
    fields: { id: 'id', status: '$detail.state' },
  };
  const items = (count: number): readonly object[] =>
    Array.from({ length: count }, (_, index) => ({ id: index + 1, name: 'n' }));

  test('calls a tool for each entry, at most once in five seconds', async () => {
    const rig = rigOf('CUSTOM', { list: items(2), get: { state: 'busy' } }, mappingOf(source));
    const first = await rig.poll();
    expect(first.agents.map(({ status }) => status)).toEqual(['BUSY', 'BUSY']);
    expect(rig.server.calls.filter(({ tool }) => tool === 'get').map(({ args }) => args)).toEqual([
      { id: 1, options: ['n!', true] },
      { id: 2, options: ['n!', true] },
    ]);
    rig.server.answers.set('list', items(3));
    rig.server.answers.set('get', { state: 'idle' });
    rig.clock.advance(4_999);
    expect((await rig.poll()).agents.map(({ status }) => status)).toEqual(['BUSY', 'BUSY', 'IDLE']);
    rig.clock.advance(1);
    expect((await rig.poll()).agents.map(({ status }) => status)).toEqual(['IDLE', 'IDLE', 'IDLE']);
    expect(rig.server.timesAsked('get')).toBe(5);
  });

  test('keeps an entry whose call fails, and reports it', async () => {
    const get = ({ id }: Readonly<Record<string, unknown>>): object =>
      id === 2 ? new ToolRejectedError('no such agent', -32603) : { state: 'busy' };
    const report = await reportOf({ list: items(3), get }, mappingOf(source));
    expect(report.agents.map(({ status, stale }) => [status, stale])).toEqual([
      ['BUSY', false],
      ['UNKNOWN', false],
      ['BUSY', false],
    ]);
    expect(report.failures).toEqual([
      { tool: 'get', message: '1 of 3 requests for an entry failed: no such agent (mapping.agents.detail)' },
    ]);
  });

  test('calls for the first entries only when there are too many', async () => {
    const rig = rigOf('CUSTOM', { list: items(5), get: { state: 'busy' } }, mappingOf(source));
    const report = await rig.poll();
    expect(report.agents).toHaveLength(5);
    expect(rig.server.timesAsked('get')).toBe(3);
    expect(report.omissions).toEqual([
      { tool: 'get', message: 'Requests for the first 3 of 5 entries only (mapping.agents.detail)' },
    ]);
  });

  test('makes at most three calls at the same time, and stops when the server does not answer', async () => {
    const mapping = mappingOf({ ...source, detail: { ...source.detail, max: 100 } });
    const rig = rigOf('CUSTOM', { list: items(50), get: { state: 'busy' } }, mapping);
    await rig.poll();
    expect([rig.server.timesAsked('get'), rig.server.mostInFlight]).toEqual([50, 3]);

    rig.clock.advance(5_000);
    rig.server.answers.set('get', new ToolCallTimeoutError('late'));
    const report = await rig.poll();
    expect(report.agents).toHaveLength(50);
    expect(report.failures).toEqual([
      { tool: 'get', message: '3 of 50 requests for an entry failed: late (mapping.agents.detail)' },
    ]);
    expect(rig.server.timesAsked('get')).toBe(53);
    await rig.poll();
    expect(rig.server.timesAsked('get')).toBe(53);
    rig.server.answers.set('get', { state: 'busy' });
    rig.clock.advance(6_000);
    expect((await rig.poll()).failures).toEqual([]);
  });

  test('leaves calls for later polls when they take too long', async () => {
    const mapping = mappingOf({ ...source, detail: { ...source.detail, max: 100 } });
    const rig = rigOf('CUSTOM', { list: items(10), get: {} }, mapping);
    rig.server.answers.set('get', () => {
      rig.clock.advance(1_000);
      return { state: 'busy' };
    });
    const { omissions } = await rig.poll();
    expect(omissions).toMatchObject([
      { message: expect.stringMatching(/of 10 entries are waiting for their requests/) },
    ]);
    const asked = rig.server.timesAsked('get');
    expect(asked).toBeLessThan(10);
    await rig.poll();
    expect(rig.server.timesAsked('get')).toBeGreaterThan(asked);
  });

  test('forgets the answers for entries that no longer exist', async () => {
    const rig = rigOf('CUSTOM', { list: items(1), get: { state: 'busy' } }, mappingOf(source));
    await rig.poll();
    rig.server.answers.set('list', []);
    await rig.poll();
    rig.server.answers.set('list', items(1));
    await rig.poll();
    expect(rig.server.timesAsked('get')).toBe(2);
  });

  test('reads a resource for each entry', async () => {
    const mapping = mappingOf({
      tool: 'list',
      list: '',
      detail: { resource: 'agent://{id}' },
      fields: { id: 'id', status: '$detail.state' },
    });
    const rig = rigOf('CUSTOM', { list: items(1), 'agent://1': { state: 'busy' } }, mapping, { hasResources: true });
    expect((await rig.poll()).agents).toMatchObject([{ status: 'BUSY' }]);
  });
});

describe('resources', () => {
  const mapping = mappingOf({ resource: 'swarm://agents', list: 'agents', fields: { id: 'id' } });

  test('are read instead of a tool', async () => {
    const rig = rigOf('CUSTOM', { 'swarm://agents': { agents: [{ id: 'a' }] } }, mapping, { hasResources: true });
    expect(idsOf(await rig.poll())).toEqual(['a']);
  });

  test('are reported when the server offers none', async () => {
    const report = await reportOf({ 'swarm://agents': {} }, mapping);
    expect(report.failures).toEqual([
      { tool: 'swarm://agents', message: 'The server offers no resources (mapping.agents.resource)' },
    ]);
  });
});

describe('tasks', () => {
  const ANSWER = {
    items: [
      { key: 't1', name: 'Write', state: 'in-progress', owners: ['a', 'b'], start: 1_795_446_176 },
      { key: 't2', name: 'Review', state: 'zugewiesen', owner: 'a', after: 't1, t0' },
      { key: 't3', state: 'DONE', done: '2026-11-23' },
    ],
  };
  const source = {
    tool: 't',
    list: 'items',
    fields: {
      id: 'key',
      title: 'name',
      status: 'state',
      agentIds: ['owners', 'owner'],
      dependsOnIds: 'after',
      startedAt: 'start',
      endedAt: 'done',
      swarmId: { value: 's' },
    },
    statuses: { Zugewiesen: 'PENDING' },
  };

  test('are read with their agents and dependencies', async () => {
    const report = await reportOf({ t: ANSWER }, mappingSchema.parse({ tasks: source }));
    const common = { serverType: 'CUSTOM', swarmNativeId: 's', createdAt: null, stale: false };
    expect(report.tasks).toEqual([
      {
        ...common,
        nativeId: 't1',
        title: 'Write',
        status: 'IN_PROGRESS',
        agentNativeIds: ['a', 'b'],
        dependsOnNativeIds: [],
        startedAt: '2026-11-23T15:02:56.000Z',
        endedAt: null,
      },
      {
        ...common,
        nativeId: 't2',
        title: 'Review',
        status: 'PENDING',
        agentNativeIds: ['a'],
        dependsOnNativeIds: ['t1', 't0'],
        startedAt: null,
        endedAt: null,
      },
      {
        ...common,
        nativeId: 't3',
        title: null,
        status: 'COMPLETED',
        agentNativeIds: [],
        dependsOnNativeIds: [],
        startedAt: null,
        endedAt: '2026-11-23T00:00:00.000Z',
      },
    ]);
    expect(report).toMatchObject({ agents: [], failures: [] });
  });

  test('are read from several sources, and are stale when theirs fails', async () => {
    const sources = [source, { tool: 'u', list: '', fields: { id: 'id' } }];
    const rig = rigOf(
      'CUSTOM',
      { t: ANSWER, u: [{ id: 't1' }, { id: 'u1' }] },
      mappingSchema.parse({ tasks: sources }),
    );
    await rig.poll();
    rig.server.answers.set('t', new ToolRejectedError('not now', -32603));
    rig.clock.advance(100);
    const { tasks = [], failures } = await rig.poll();
    expect(tasks.map(({ nativeId, stale }) => [nativeId, stale])).toEqual([
      ['t1', true],
      ['t2', true],
      ['t3', true],
      ['u1', false],
    ]);
    expect(failures).toEqual([{ tool: 't', message: 'not now' }]);
  });

  test('are the main list of a server without agents', async () => {
    const rig = rigOf('CUSTOM', { t: new ToolCallTimeoutError('late') }, mappingSchema.parse({ tasks: source }));
    await expect(rig.poll()).rejects.toThrow('late');
    await expect(rig.poll()).rejects.toThrow('late');
  });

  test('are read beside agents with their parents and titles', async () => {
    const mapping = mappingOf(
      {
        tool: 't',
        list: 'agents',
        fields: { id: 'id', parentId: 'boss', title: 'goal', workspace: 'dir', currentTaskId: 'job' },
      },
      { tasks: { ...source, list: 'agents.*.tasks', fields: { id: 'id', agentIds: '$parent.id' } } },
    );
    const agents = [
      { id: 'a', goal: 'Ship', dir: 'web', tasks: [{ id: 't1' }] },
      { id: 'b', boss: 'a', job: 't2', tasks: [{ id: 't2' }] },
    ];
    const report = await reportOf({ t: { agents } }, mapping);
    expect(report.agents).toMatchObject([
      { nativeId: 'a', parentNativeId: null, title: 'Ship', workspace: 'web' },
      { nativeId: 'b', parentNativeId: 'a', title: null, currentTaskNativeId: 't2' },
    ]);
    expect(report.tasks).toMatchObject([
      { nativeId: 't1', agentNativeIds: ['a'] },
      { nativeId: 't2', agentNativeIds: ['b'] },
    ]);
  });
});

describe('edges', () => {
  const answer = {
    agents: [{ id: 'a', team: 's' }, { id: 'b', team: 's' }, { id: 'c' }, { id: 'd' }],
    links: [
      { from: 'a', to: 'b', type: 'Reviews' },
      { from: 'b', to: 'c' },
      { from: 'a', to: 'document' },
    ],
  };
  const mappingWith = (edges: object): ServerMapping =>
    mappingOf(
      { tool: 't', list: 'agents', fields: { id: 'id', swarmId: 'team' } },
      { edges: { tool: 't', list: 'links', fields: { from: 'from', to: 'to', relation: 'type' }, ...edges } },
    );

  test('connect agents in the swarm of one of them', async () => {
    const rig = rigOf('CUSTOM', { t: answer }, mappingWith({}));
    const report = await rig.poll();
    expect(report.edges).toEqual([
      { swarmNativeId: 's', fromNativeId: 'a', toNativeId: 'b', relation: 'reviews' },
      { swarmNativeId: 's', fromNativeId: 'b', toNativeId: 'c', relation: 'linked' },
    ]);
    expect(report.omissions).toBeUndefined();
    // Both sources have the same request.
    expect(rig.server.calls).toHaveLength(1);
  });

  test('may have several relations between two agents, of which one is shown', async () => {
    const links = [
      { from: 'a', to: 'b', type: 'reviews' },
      { from: 'a', to: 'b', type: 'likes' },
    ];
    const report = await reportOf({ t: { ...answer, links } }, mappingWith({}));
    expect(report.edges.map(({ relation }) => relation)).toEqual(['reviews', 'likes']);
    expect(report.omissions).toBeUndefined();
  });

  test('are reported when none is between two agents', async () => {
    const report = await reportOf(
      { t: answer },
      mappingWith({ fields: { from: 'type', to: 'to' }, where: { type: 'Reviews' } }),
    );
    expect(report.omissions).toEqual([
      { tool: 't', message: 'None of the 1 edges is between two agents (mapping.edges.fields)' },
    ]);
  });

  test('are reported when neither they nor their agents have a swarm', async () => {
    const report = await reportOf({ t: { ...answer, links: [{ from: 'c', to: 'd' }] } }, mappingWith({}));
    expect(report).toMatchObject({
      edges: [],
      omissions: [
        { message: 'Omitted 1 edges, because neither they nor their agents have a swarm (mapping.edges.fields)' },
      ],
    });
  });
});

describe('mappings', () => {
  test('for any answers: the poll ends, and each agent has an id', async () => {
    const mapping = mappingOf(
      [
        {
          tool: 't',
          list: 'a.*.b',
          where: { x: { not: 'y' } },
          detail: { tool: 'd', arguments: { id: '{id}' } },
          join: { j: { tool: 'd', map: '', on: '$key' } },
          fields: { id: ['id', '$parent.id'], name: '$detail.name', type: '$j.type', capabilities: 'c.*' },
        },
        { tool: 'd', pattern: '(?<id>\\w+)', empty: 'no', fields: { id: 'id' } },
      ],
      { edges: { tool: 't', list: 'e', fields: { from: 'f', to: 't' } } },
    );
    const nested = fc.record(
      {
        a: fc.oneof(
          fc.array(fc.record({ id: fc.jsonValue(), b: fc.oneof(fc.array(fc.jsonValue()), fc.jsonValue()) })),
          fc.jsonValue(),
        ),
      },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(fc.oneof(nested, fc.jsonValue()), fc.oneof(fc.string(), fc.jsonValue()), async (t, d) => {
        const { agents } = await reportOf({ t, d }, mapping);
        for (const { nativeId } of agents) expect(nativeId).not.toBe('');
      }),
      runs(100),
    );
  });

  test('read an answer in linear time', async () => {
    const mapping = mappingOf({
      tool: 't',
      list: 'teams.*.members',
      where: { state: ['busy', 'idle'] },
      join: { metrics: { tool: 't', list: 'metrics', on: 'agent' } },
      fields: { id: { template: '{$parent.id}/{id}' }, tokenUsage: '$metrics.tokens', capabilities: 'skills.*' },
    });
    const grows = await growsTooFast((size) => {
      const members = Array.from({ length: size }, (_, id) => ({ id, state: 'busy', skills: ['a', 'b'] }));
      const metrics = members.map(({ id }) => ({ agent: id, tokens: id }));
      return () => reportOf({ t: { teams: [{ id: 's', members }], metrics } }, mapping);
    }, 2_000);
    expect(grows).toBe(false);
  });

  test('read a long answer in several turns of the event loop', async () => {
    const members = Array.from({ length: 9_000 }, (_, index) => ({
      id: index,
      state: 'busy',
      skills: 'a,b,c',
      at: 1_795_446_176,
    }));
    const mapping = mappingOf({
      tool: 't',
      list: 'teams.*.members',
      fields: {
        id: 'id',
        status: 'state',
        capabilities: 'skills',
        createdAt: 'at',
        tokenUsage: 'id',
        swarmId: '$parent.id',
      },
    });
    const polling = reportOf({ t: { teams: [{ id: 's', members }] } }, mapping);
    let turns = 0;
    let isDone = false;
    const count = (): void => {
      turns += 1;
      if (!isDone) setImmediate(count);
    };
    setImmediate(count);
    const { agents } = await polling;
    isDone = true;
    expect(agents).toHaveLength(9_000);
    expect(turns).toBeGreaterThan(2);
  });
});
