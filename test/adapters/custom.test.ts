import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ServerMapping } from '../../src/adapters/index.js';
import { mappingSchema } from '../../src/config/mapping.js';
import { UNKNOWN_PERFORMANCE } from '../../src/model/index.js';
import { ToolCallTimeoutError, ToolRejectedError } from '../../src/mcp/index.js';
import { agentIn, rigOf } from './fake-server.js';
import { runs } from '../support/fuzz-inputs.js';
import { NOT_REPORTED } from '../support/unknown-fields.js';

function mappingOf(agents: object, swarms?: object): ServerMapping {
  return mappingSchema.parse({ agents, ...(swarms === undefined ? {} : { swarms }) });
}

const WORKERS = {
  tool: 'list_workers',
  arguments: { all: true },
  list: 'result.workers',
  fields: {
    id: 'uuid',
    name: 'profile.name',
    type: 'role',
    status: 'state',
    swarmId: 'team',
    capabilities: 'skills',
    createdAt: { path: 'born', scale: 1000 },
    cpuUsage: { path: 'load.cpuPercent', scale: 0.01 },
    tokenUsage: 'tokens',
    cognitivePattern: { value: 'Lateral' },
  },
  statuses: { hacking: 'BUSY', true: 'ACTIVE' },
};

const WORKER = {
  uuid: 7,
  profile: { name: 'ada' },
  role: 'Coder',
  state: 'Hacking',
  team: 'red',
  skills: ['x', 3, 'y'],
  born: 1_795_446_176,
  load: { cpuPercent: 25 },
  tokens: 12.5,
};

const TEAMS = { tool: 'list_teams', map: 'teams', fields: { id: '$key', topology: 'shape', agentIds: 'members' } };

describe('CustomAdapter', () => {
  test('reports the listed agents, with null for unmapped values', async () => {
    const rig = rigOf('CUSTOM', { list_workers: { result: { workers: [WORKER] } } }, mappingOf(WORKERS));
    const report = await rig.poll();
    expect(report).toEqual({
      agents: [
        {
          nativeId: '7',
          serverType: 'CUSTOM',
          swarmNativeId: 'red',
          name: 'ada',
          type: 'coder',
          status: 'BUSY',
          capabilities: ['x', '3', 'y'],
          model: null,
          currentTaskNativeId: null,
          ...NOT_REPORTED,
          performance: { ...UNKNOWN_PERFORMANCE, cpuUsage: 0.25, tokenUsage: 12.5 },
          neural: { cognitivePattern: 'lateral', networkId: null, adaptations: null, learningRate: null },
          role: null,
          createdAt: '2026-11-23T15:02:56.000Z',
          lastActiveAt: null,
          stale: false,
        },
      ],
      swarms: [],
      edges: [],
      failures: [],
    });
    expect(rig.server.calls).toMatchObject([{ tool: 'list_workers', args: { all: true } }]);
    expect(rig.adapter.rejectedCount).toBe(0);
  });

  test.each([
    ['hacking', 'BUSY'],
    [true, 'ACTIVE'],
    ['idle', 'IDLE'],
    ['meditating', 'UNKNOWN'],
    [null, 'UNKNOWN'],
  ])('maps status %s to %s, with the mapping before the common words', async (state, expected) => {
    const answer = { result: { workers: [{ ...WORKER, state }] } };
    const report = await rigOf('CUSTOM', { list_workers: answer }, mappingOf(WORKERS)).poll();
    expect(agentIn(report, '7').status).toBe(expected);
  });

  test('reads swarms from a second tool and assigns their members', async () => {
    const answers = {
      list_workers: { result: { workers: [{ uuid: 'a' }, { uuid: 'b', team: 'blue' }] } },
      list_teams: { teams: { red: { shape: 'Mesh', members: ['a', 'b'] }, blue: { shape: 'star' } } },
    };
    const report = await rigOf('CUSTOM', answers, mappingOf(WORKERS, TEAMS)).poll();
    expect(report.swarms).toMatchObject([
      { nativeId: 'red', serverType: 'CUSTOM', topologyName: 'mesh', maxAgents: null, stale: false },
      { nativeId: 'blue', topologyName: 'star' },
    ]);
    expect([agentIn(report, 'a').swarmNativeId, agentIn(report, 'b').swarmNativeId]).toEqual(['red', 'blue']);
  });

  test('reads agents from several sources: a list of texts, a map, a single entry and constants', async () => {
    const mapping = mappingOf([
      { tool: 'names', list: '', fields: { id: '' } },
      { tool: 'by_id', map: '/the~1map', fields: { id: '$key', type: 'kind' } },
      { tool: 'boss', one: '', fields: { id: { value: 'boss' }, status: 'status', role: { value: 'leader' } } },
    ]);
    const answers = {
      names: ['ada', 'hopper'],
      by_id: { 'the/map': { hopper: { kind: 'coder' }, grace: { kind: 'coder' } } },
      // In responses of other servers, this means that the tool failed.
      boss: { status: 'error' },
    };
    const report = await rigOf('CUSTOM', answers, mapping).poll();
    expect(report.agents.map(({ nativeId, type, status, role }) => [nativeId, type, status, role])).toEqual([
      ['ada', 'unknown', 'UNKNOWN', null],
      // Of two agents with the same id, the first one is kept.
      ['hopper', 'unknown', 'UNKNOWN', null],
      ['grace', 'coder', 'UNKNOWN', null],
      ['boss', 'unknown', 'ERROR', 'leader'],
    ]);
    expect(report.failures).toEqual([]);
  });

  test.each<[string, unknown, string]>([
    [
      'is missing',
      { result: {} },
      '"result.workers" of the response is missing, expected a list (mapping.agents.list)',
    ],
    [
      'is something else',
      { result: { workers: { a: 1 } } },
      '"result.workers" of the response is an object, expected a list (mapping.agents.list)',
    ],
    ['is in no JSON', 'Workers: 3', 'The response is text instead of JSON, expected a list (mapping.agents.list)'],
    [
      'holds nothing with an id',
      { result: { workers: [{}, { uuid: '' }] } },
      'None of the 2 entries has a usable id at "uuid" (mapping.agents.fields.id)',
    ],
    ['is refused', new ToolRejectedError('no such team', -32602), 'no such team'],
  ])(
    'reports a failure with tool and path when the list %s, and reads the other sources',
    async (_, answer, message) => {
      const answers = {
        list_workers: { result: { workers: [WORKER] } },
        list_teams: { teams: { red: {} } },
      };
      const rig = rigOf('CUSTOM', answers, mappingOf(WORKERS, TEAMS));
      await rig.poll();
      rig.server.answers.set('list_workers', answer);
      rig.clock.advance(1_000);
      const report = await rig.poll();
      expect(report.failures).toEqual([{ tool: 'list_workers', message }]);
      expect(report.agents).toMatchObject([{ nativeId: '7', stale: true }]);
      expect(report.swarms).toMatchObject([{ nativeId: 'red', stale: false }]);

      rig.server.answers.set('list_workers', { result: { workers: [] } });
      rig.clock.advance(1_000);
      expect(await rig.poll()).toMatchObject({ failures: [], agents: [] });
    },
  );

  test('reports agents when the swarms fail', async () => {
    const answers = { list_workers: { result: { workers: [WORKER] } }, list_teams: 'later' };
    const report = await rigOf('CUSTOM', answers, mappingOf(WORKERS, TEAMS)).poll();
    expect(report.agents).toMatchObject([{ nativeId: '7', stale: false }]);
    expect(report.failures).toEqual([
      {
        tool: 'list_teams',
        message: 'The response is text instead of JSON, expected an object of entries (mapping.swarms.map)',
      },
    ]);
  });

  test('reads null as an empty list, as servers in Go send it', async () => {
    const report = await rigOf('CUSTOM', { list_workers: { result: { workers: null } } }, mappingOf(WORKERS)).poll();
    expect(report).toMatchObject({ agents: [], failures: [] });
  });

  test('reports a mapped tool that the server does not offer as a failure', async () => {
    const report = await rigOf('CUSTOM', { other: {} }, mappingOf(WORKERS)).poll();
    expect(report).toMatchObject({
      agents: [],
      failures: [{ tool: 'list_workers', message: 'The server offers no such tool (mapping.agents.tool)' }],
    });
  });

  test('rejects the poll when the main list times out', async () => {
    const rig = rigOf('CUSTOM', { list_workers: new ToolCallTimeoutError('late') }, mappingOf(WORKERS));
    await expect(rig.poll()).rejects.toThrow('late');
  });

  test('omits a malformed value and reports its path without the value', async () => {
    const bad = { ...WORKER, uuid: 'bad', load: { cpuPercent: 4_200_000 } };
    const answer = { result: { workers: [WORKER, bad, { uuid: {} }, WORKER] } };
    const rig = rigOf('CUSTOM', { list_workers: answer }, mappingOf(WORKERS));
    const report = await rig.poll();
    expect(report.agents.map(({ nativeId }) => nativeId)).toEqual(['7', 'bad']);
    expect(agentIn(report, 'bad').performance).toMatchObject({ cpuUsage: null, tokenUsage: 12.5 });
    expect(rig.adapter.rejectedCount).toBe(3);
    const logged = rig.log.map(({ fields }) => fields);
    expect(logged).toMatchObject([
      {
        tool: 'list_workers',
        path: 'result.workers * "load.cpuPercent"',
        reason: expect.stringContaining('(mapping.agents.fields.cpuUsage)'),
      },
      { path: 'result.workers * "uuid"' },
      { reason: 'Duplicate id (mapping.agents.fields.id)' },
    ]);
    expect(JSON.stringify(logged)).not.toContain('4200000');
    expect(rig.adapter.lastRejection).toBe(
      'list_workers result.workers * "uuid": Duplicate id (mapping.agents.fields.id)',
    );
  });

  test('reports a path missing in all entries once, and again after it was present', async () => {
    const without = { result: { workers: [{ ...WORKER, state: undefined }] } };
    const rig = rigOf('CUSTOM', { list_workers: without }, mappingOf(WORKERS));
    await rig.poll();
    await rig.poll();
    expect(rig.adapter.rejectedCount).toBe(1);
    expect(rig.adapter.lastRejection).toBe(
      'list_workers result.workers * "state": In no entry (mapping.agents.fields.status)',
    );
    rig.server.answers.set('list_workers', { result: { workers: [{ uuid: 'a' }, WORKER] } });
    await rig.poll();
    expect(rig.adapter.rejectedCount).toBe(1);
    rig.server.answers.set('list_workers', without);
    await rig.poll();
    expect(rig.adapter.rejectedCount).toBe(2);
  });

  test('reads only own properties of an entry', async () => {
    const mapping = mappingOf({ tool: 't', list: '', fields: { id: 'id', name: 'constructor.name' } });
    const report = await rigOf('CUSTOM', { t: [{ id: 'a' }] }, mapping).poll();
    expect(agentIn(report, 'a').name).toBe('a');
  });

  test('for any responses: the report is valid and each id occurs once', async () => {
    const worker = fc.record(
      { uuid: fc.oneof(fc.constantFrom('a', 'b', 1), fc.jsonValue()), state: fc.jsonValue(), load: fc.jsonValue() },
      { requiredKeys: [] },
    );
    const answer = fc.oneof(
      fc.jsonValue(),
      fc.record({ result: fc.record({ workers: fc.array(fc.oneof(worker, fc.jsonValue())) }) }),
    );
    await fc.assert(
      fc.asyncProperty(answer, answer, async (workers, teams) => {
        const rig = rigOf('CUSTOM', { list_workers: workers, list_teams: teams }, mappingOf(WORKERS, TEAMS));
        const { agents, swarms } = await rig.poll();
        for (const { nativeId } of [...agents, ...swarms]) expect(nativeId).not.toBe('');
        expect(new Set(agents.map(({ nativeId }) => nativeId)).size).toBe(agents.length);
        for (const { performance } of agents) {
          const cpu = performance?.cpuUsage ?? 0;
          expect(cpu >= 0 && cpu <= 1).toBe(true);
        }
      }),
      runs(80),
    );
  });
});

test('CustomAdapter reports no agents and calls no tools without a mapping', async () => {
  const rig = rigOf('CUSTOM', { list_workers: {} });
  expect(await rig.poll()).toEqual({ agents: [], swarms: [], edges: [], failures: [] });
  expect(rig.server.calls).toEqual([]);
});
