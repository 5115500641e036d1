import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Config, loadConfig, type ServerConfig } from '../../src/config/index.js';
import { mistakesOf } from './mistakes.js';

let directory: string;
let files = 0;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'swarmlens-test-'));
});

afterAll(async () => {
  await rm(directory, { recursive: true, force: true });
});

async function loadWhole(swarmlens: unknown): Promise<Config> {
  files += 1;
  const file = `${files}.json`;
  await writeFile(join(directory, file), JSON.stringify({ mcpServers: { s: { command: 'x', swarmlens } } }));
  const env = { TEAM: 'red' };
  return loadConfig({ flags: { config: file }, env, cwd: directory, program: '/main.js' });
}

async function load(swarmlens: unknown): Promise<ServerConfig | undefined> {
  return (await loadWhole(swarmlens)).servers[0];
}

const AGENTS = { tool: 'list_workers', list: 'result.workers', fields: { id: 'uuid' } };

describe('loadConfig: mapping', () => {
  test('parses the paths, sets the type CUSTOM and lowers the default poll rate', async () => {
    const mapping = {
      agents: {
        ...AGENTS,
        arguments: { team: '${TEAM}' },
        fields: {
          id: '/a~1b/~0',
          name: { value: 'one' },
          cpuUsage: { path: 'load.0', scale: 0.01 },
          type: '',
          role: '$key',
        },
        statuses: { ' Hacking ': 'BUSY' },
      },
      swarms: { tool: 'list_teams', map: '', fields: { id: '$key', agentIds: 'members' } },
    };
    expect(await load({ mapping })).toMatchObject({
      serverType: 'CUSTOM',
      maxPollHz: 10,
      mapping: {
        agents: [
          {
            place: 'mapping.agents',
            tool: 'list_workers',
            arguments: { team: 'red' },
            shape: 'list',
            path: { text: 'result.workers', keys: ['result', 'workers'] },
            fields: {
              id: { from: 'path', path: { text: '/a~1b/~0', keys: ['a/b', '~'] }, scale: 1 },
              name: { from: 'value', value: 'one' },
              cpuUsage: { from: 'path', path: { keys: ['load', '0'] }, scale: 0.01 },
              type: { from: 'path', path: { keys: [] } },
              role: { from: 'key' },
            },
            statuses: new Map([['hacking', 'BUSY']]),
          },
        ],
        swarms: {
          place: 'mapping.swarms',
          arguments: {},
          shape: 'map',
          fields: { id: { from: 'key' }, agentIds: { from: 'path' } },
        },
      },
    });
    expect(await load({ mapping: { agents: AGENTS }, maxPollHz: 60, serverType: 'CUSTOM' })).toMatchObject({
      maxPollHz: 60,
    });
  });

  test('accepts several lists of agents', async () => {
    const server = await load({ mapping: { agents: [AGENTS, { ...AGENTS, list: undefined, one: 'boss' }] } });
    expect(server?.mapping?.agents.map(({ place, shape }) => [place, shape])).toEqual([
      ['mapping.agents.0', 'list'],
      ['mapping.agents.1', 'one'],
    ]);
  });

  const at = 'mcpServers.s.swarmlens.mapping';
  const PATH = 'expected a path: names joined by dots ("result.agents"), a JSON Pointer ("/result/agents"), or ""';
  const FIELD = `${PATH}, "$key", {"path": …}, {"template": …}, {"value": …}, or a list of alternatives`;
  const CONDITION =
    'expected text, a number, true, false, a list of these, {"exists": true}, {"exists": false} or {"not": …}';
  const SHAPE =
    'expected one of "list", "map" and "one" with the path to the entries in the response, or "pattern" with a regular expression';

  test.each<[string, unknown, readonly string[]]>([
    ['neither agents nor tasks', {}, [`${at}.agents: is missing – expected an object, or "tasks"`]],
    ['an empty list of agents', { agents: [] }, [`${at}.agents: is a list – expected 1 to 16 sources`]],
    [
      'no tool and no fields',
      { agents: { list: '' } },
      [`${at}.agents.tool: is missing – expected text`, `${at}.agents.fields: is missing – expected an object`],
    ],
    ['no id', { agents: { ...AGENTS, fields: {} } }, [`${at}.agents.fields.id: is missing – ${FIELD}`]],
    ['no path to the entries', { agents: { ...AGENTS, list: undefined } }, [`${at}.agents: is an object – ${SHAPE}`]],
    ['two paths to the entries', { agents: { ...AGENTS, one: 'x' } }, [`${at}.agents: is an object – ${SHAPE}`]],
    ...['a..b', '.a', 'a.', '$.a', 'a[0]', 'a*.b', '/a~2'].map((path): [string, unknown, readonly string[]] => [
      `an invalid path: ${path}`,
      { agents: { ...AGENTS, list: path } },
      [`${at}.agents.list: is "${path}" – ${PATH}`],
    ]),
    [
      'an invalid path in the second list of agents',
      { agents: [AGENTS, { ...AGENTS, fields: { id: 'a', status: 'b..c' } }] },
      [`${at}.agents.1.fields.status: is "b..c" – ${PATH}`],
    ],
    [
      'a field that is a number',
      { agents: { ...AGENTS, fields: { id: 'a', status: 3 } } },
      [`${at}.agents.fields.status: is 3 – ${FIELD}`],
    ],
    [
      'an invalid scale',
      { agents: { ...AGENTS, fields: { id: 'a', cpuUsage: { path: 'b', scale: '%' } } } },
      [`${at}.agents.fields.cpuUsage.scale: is "%" – expected a number`],
    ],
    [
      'a constant that is an object',
      { agents: { ...AGENTS, fields: { id: { value: {} } } } },
      [`${at}.agents.fields.id.value: is an object – expected text, a number, true, false or a list of texts`],
    ],
    [
      'an unknown field of agents',
      { agents: { ...AGENTS, fields: { id: 'a', stauts: 'b' } } },
      [`${at}.agents.fields.stauts: is "b" – unknown option, did you mean "status"?`],
    ],
    [
      'an unknown option of a field',
      { agents: { ...AGENTS, fields: { id: { path: 'b', scael: 2 } } } },
      [`${at}.agents.fields.id.scael: is 2 – unknown option, did you mean "scale"?`],
    ],
    [
      'an unknown status',
      { agents: { ...AGENTS, statuses: { hacking: 'WORKING' } } },
      [
        `${at}.agents.statuses.hacking: is "WORKING" – expected one of INITIALIZING, IDLE, ACTIVE, BUSY, WAITING, PAUSED, ERROR, OFFLINE, TERMINATED, UNKNOWN`,
      ],
    ],
    [
      'mistakes in the swarms as well',
      { agents: { ...AGENTS, tool: '' }, swarms: { tool: 'x', list: '', fields: { id: '', status: [] } } },
      [
        `${at}.agents.tool: is "" – expected text that is not empty`,
        `${at}.swarms.fields.status: is a list – ${FIELD}`,
      ],
    ],
  ])('rejects %s with the key', async (_name, mapping, expected) => {
    expect(await mistakesOf(loadWhole({ mapping }))).toEqual(expected);
  });

  const { arguments: _none, ...source } = { ...AGENTS, arguments: {} };

  test.each<[string, object, readonly string[]]>([
    [
      'an invalid where',
      { where: { kind: [], type: null, 'ok.x': { not: {} } } },
      [
        `${at}.agents.where.kind: is a list – expected 1 to 100 texts, numbers, true or false`,
        `${at}.agents.where.type: is null – ${CONDITION}`,
        `${at}.agents.where."ok.x".not: is an object – ${CONDITION}`,
      ],
    ],
    ['an invalid path in where', { where: { 'a..b': 1 } }, [`${at}.agents.where."a..b": is 1 – ${PATH} as the key`]],
    [
      'an unknown condition',
      { where: { state: { exist: true } } },
      [
        `${at}.agents.where.state.exists: is missing – expected true or false`,
        `${at}.agents.where.state.exist: is true – unknown option, did you mean "exists"?`,
      ],
    ],
    [
      'no conditions',
      { where: {} },
      [`${at}.agents.where: is an object – expected an object of 1 to 16 conditions by path`],
    ],
    [
      'an invalid template',
      { fields: { id: { template: '{a' } } },
      [
        `${at}.agents.fields.id.template: is "{a" – expected a text with paths in braces ("{$parent.id}/{id}"), in which "{{" and "}}" stand for braces`,
      ],
    ],
    [
      'an unknown reference',
      { fields: { id: '$metric.id' }, join: { metrics: { tool: 't', list: '', on: 'id' } } },
      [`${at}.agents.fields.id: is "$metric.id" – "$metric" is no join of the source, did you mean "metrics"?`],
    ],
    [
      'a reference to a detail without a detail',
      { fields: { id: ['id', { template: '{$detail.id}' }] } },
      [`${at}.agents.fields.id: is a list – "$detail" needs a "detail" of the source`],
    ],
    [
      'too many enclosing objects',
      { list: 'teams.*.members', fields: { id: '$parent.$parent.$parent.id' } },
      [
        `${at}.agents.fields.id: is "$parent.$parent.$parent.id" – expected "$parent" at most 2 times, because the path has that many enclosing objects`,
      ],
    ],
    [
      'a pattern that is not linear',
      { list: undefined, pattern: '(?=a)(?<id>b)' },
      [
        `${at}.agents.pattern: is "(?=a)(?<id>b)" – expected a regular expression in the syntax of RE2: invalid or unsupported Perl syntax: \`(?=\``,
      ],
    ],
    [
      'a pattern that is too long',
      { list: undefined, pattern: 'a'.repeat(1_001) },
      [`${at}.agents.pattern: is "${'a'.repeat(100)}…" – expected a pattern of at most 1000 characters`],
    ],
    [
      'a pattern that is too large',
      { list: undefined, pattern: '(?<id>\\w{900})' },
      [`${at}.agents.pattern: is "(?<id>\\\\w{900})" – expected a pattern with fewer or smaller repetitions`],
    ],
    [
      'a field that is no group of the pattern',
      {
        list: undefined,
        pattern: '^(?<id>\\w+): (?<state>\\w+)',
        fields: { id: 'id', name: ['stat', '$key'], status: 'xyz' },
      },
      [
        `${at}.agents.fields.name: is a list – "stat" is no group of the pattern, did you mean "state"?`,
        `${at}.agents.fields.status: is "xyz" – "xyz" is no group of the pattern`,
      ],
    ],
    ['a text without a pattern', { text: 'a' }, [`${at}.agents.text: is "a" – only allowed beside "pattern"`]],
    [
      'a resource with arguments and pages',
      { tool: undefined, resource: 'a://b', arguments: {}, pages: {} },
      [
        `${at}.agents.arguments: is an object – not allowed beside "resource"`,
        `${at}.agents.pages: is an object – not allowed beside "resource"`,
      ],
    ],
    [
      'invalid pages',
      { pages: { cursor: 'a.*', max: 1_000, argumnet: 'x' } },
      [
        `${at}.agents.pages.cursor: is "a.*" – expected a path without "*": names joined by dots ("result.next"), a JSON Pointer ("/result/next"), or ""`,
        `${at}.agents.pages.max: is 1000 – expected a number of pages, a whole number from 1 to 100`,
        `${at}.agents.pages.argumnet: is "x" – unknown option, did you mean "argument"?`,
      ],
    ],
    [
      'an invalid detail',
      { detail: { tool: 'get', arguments: { id: ['{$detail.x}', '{'] }, max: 0 } },
      [`${at}.agents.detail.max: is 0 – expected a number of entries, a whole number from 1 to 500`],
    ],
    [
      'a detail that refers to itself',
      { detail: { tool: 'get', arguments: { id: '{$detail.x}' } } },
      [
        `${at}.agents.detail: is an object – "$detail.x" cannot be used here, because the joined lists and the detail are read later`,
      ],
    ],
    [
      'a join with a reserved name',
      { join: { parent: { tool: 't', list: '', on: 'id' } } },
      [
        `${at}.agents.join.parent: is an object – expected a name of letters, digits, "-" and "_" as the key, except key, parent, root, detail`,
      ],
    ],
    [
      'a join without "on"',
      { join: { metrics: { tool: 't', list: '' } } },
      [`${at}.agents.join.metrics.on: is missing – ${FIELD}`],
    ],
    [
      'an invalid rule for no entries',
      { empty: ['none', { patern: 'x' }] },
      [
        `${at}.agents.empty.1.pattern: is missing – expected text`,
        `${at}.agents.empty.1.patern: is "x" – unknown option, did you mean "pattern"?`,
      ],
    ],
    [
      'a misspelled key',
      { wher: {}, reesource: 'x' },
      [
        `${at}.agents.wher: is an object – unknown option, did you mean "where"?`,
        `${at}.agents.reesource: is "x" – unknown option, did you mean "resource"?`,
      ],
    ],
  ])('rejects %s with the key', async (_name, change, expected) => {
    expect(await mistakesOf(loadWhole({ mapping: { agents: { ...source, ...change } } }))).toEqual(expected);
  });

  test('reports a mistake with the line in the file', async () => {
    const file = 'lines.json';
    const server = { command: 'x', swarmlens: { mapping: { agents: { ...AGENTS, fields: { id: 'a..b' } } } } };
    await writeFile(join(directory, file), JSON.stringify({ mcpServers: { s: server } }, null, 1));
    const loading = loadConfig({ flags: { config: file }, env: {}, cwd: directory, program: '/main.js' });
    await expect(loading).rejects.toThrow(/fields\.id: is "a\.\.b" .*lines\.json, line 11\)$/);
  });

  test('does not replace a word after a dollar sign, which is part of a path', async () => {
    const file = 'words.json';
    const agents = {
      ...AGENTS,
      tool: '${TEAM}_list',
      fields: { id: { template: '{$parent.id}' }, name: '$parent.name' },
    };
    const entry = { command: 'x', swarmlens: { mapping: { agents } } };
    await writeFile(
      join(directory, file),
      JSON.stringify({ mcpServers: { s: entry }, swarmlens: { tapMappings: { t: { agents } } } }),
    );
    const env = { TEAM: 'red', parent: 'wrong', id: 'wrong' };
    const config = await loadConfig({ flags: { config: file }, env, cwd: directory, program: '/main.js' });
    for (const mapping of [config.servers[0]?.mapping, config.tapMappings.get('t')])
      expect(mapping?.agents).toMatchObject([
        { tool: 'red_list', fields: { name: { path: { text: '$parent.name' } } } },
      ]);
  });

  test('reports mistakes in the mappings of tapped servers', async () => {
    const file = 'taps.json';
    const load = async (tapMappings: object): Promise<Config> => {
      await writeFile(join(directory, file), JSON.stringify({ mcpServers: {}, swarmlens: { tapMappings } }));
      return loadConfig({ flags: { config: file }, env: {}, cwd: directory, program: '/main.js' });
    };
    expect(await mistakesOf(load({ 'a:b': { agents: AGENTS } }))).toEqual([
      'swarmlens.tapMappings."a:b": is an object – expected the name of a tapped server as the key, 1 to 64 characters without a colon',
    ]);
    expect(await mistakesOf(load({ workers: { agents: { ...AGENTS, list: 'a..b' }, swrms: {} } }))).toEqual([
      `swarmlens.tapMappings.workers.agents.list: is "a..b" – ${PATH}`,
      'swarmlens.tapMappings.workers.swrms: is an object – unknown option, did you mean "swarms"?',
    ]);
  });

  test('is rejected with another server type', async () => {
    expect(await mistakesOf(loadWhole({ serverType: 'DAA', mapping: { agents: AGENTS } }))).toEqual([
      `${at}: is for servers of type CUSTOM, but "serverType" is DAA – remove one of the two`,
    ]);
  });
});
