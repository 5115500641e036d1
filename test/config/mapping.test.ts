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
  const SHAPE =
    'expected one of "list", "map" and "one" with the path to the entries in the response, or "pattern" with a regular expression';

  test.each<[string, unknown, readonly string[]]>([
    ['no agents', {}, [`${at}.agents: is missing – expected an object`]],
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

  test('is rejected with another server type', async () => {
    expect(await mistakesOf(loadWhole({ serverType: 'DAA', mapping: { agents: AGENTS } }))).toEqual([
      `${at}: is for servers of type CUSTOM, but "serverType" is DAA – remove one of the two`,
    ]);
  });
});
