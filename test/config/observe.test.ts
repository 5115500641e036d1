import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Config, type ConfigFlags, loadConfig } from '../../src/config/index.js';
import { TemporaryDirectory } from '../support/temporary-directory.js';
import { mistakesOf } from './mistakes.js';

interface Given {
  readonly file?: object;
  readonly flags?: ConfigFlags;
  readonly env?: NodeJS.ProcessEnv;
}

async function load({ file, flags = {}, env = {} }: Given): Promise<Config> {
  await using directory = await TemporaryDirectory.create();
  if (file !== undefined) await directory.write('swarmlens.config.json', JSON.stringify(file));
  return await loadConfig({ flags, env, cwd: directory.path('.'), program: '/program/main.js' });
}

const idsOf = async (given: Given): Promise<readonly string[]> => (await load(given)).servers.map(({ id }) => id);

describe('loadConfig with coding agents to observe', () => {
  test('adds an observer as a child process of this program when there is no file', async () => {
    const env = { CODEX_HOME: '/codex', XDG_STATE_HOME: '/state', CLAUDE_CONFIG_DIR: '', SECRET: 'x' };
    const { servers, demo, file } = await load({ flags: { observe: 'claude-code,codex' }, env });
    expect({ demo, file }).toEqual({ demo: false, file: null });
    expect(servers).toMatchObject([
      { id: 'claude-code', endpoint: { args: ['/program/main.js', 'observe', 'claude-code'] } },
      {
        id: 'codex',
        endpoint: {
          type: 'stdio',
          command: process.execPath,
          args: ['/program/main.js', 'observe', 'codex'],
          env: { CODEX_HOME: '/codex', XDG_STATE_HOME: '/state' },
        },
      },
    ]);
  });

  test.each<[string, Given, readonly string[]]>([
    ['the flag', { flags: { observe: 'codex' } }, ['codex']],
    ['the environment', { env: { SWARMLENS_OBSERVE: ' codex , claude-code' } }, ['codex', 'claude-code']],
    ['the file', { file: { mcpServers: {}, swarmlens: { observe: ['codex'] } } }, ['codex']],
    [
      'the flag before the environment',
      { flags: { observe: 'codex' }, env: { SWARMLENS_OBSERVE: 'claude-code' } },
      ['codex'],
    ],
    [
      'the environment before the file',
      { env: { SWARMLENS_OBSERVE: 'codex' }, file: { mcpServers: {}, swarmlens: { observe: ['claude-code'] } } },
      ['codex'],
    ],
    [
      'the file beside its servers',
      { file: { mcpServers: { a: { command: 'a' } }, swarmlens: { observe: ['codex'] } } },
      ['a', 'codex'],
    ],
    [
      'the flag beside the servers of a file',
      { flags: { observe: 'codex' }, file: { mcpServers: { a: { command: 'a' } } } },
      ['a', 'codex'],
    ],
    [
      'the flag beside the demo',
      { flags: { observe: 'codex', demo: true } },
      ['claude-flow', 'ruv-swarm', 'daa', 'codex'],
    ],
    [
      'an id of a disabled server',
      { flags: { observe: 'codex' }, file: { mcpServers: { codex: { command: 'a', disabled: true } } } },
      ['codex'],
    ],
  ])('reads %s', async (_name, given, ids) => {
    expect(await idsOf(given)).toEqual(ids);
  });

  test.each<[string, Given]>([
    ['nothing is observed', {}],
    ['the variable is empty', { env: { SWARMLENS_OBSERVE: '' } }],
    ['the demo is requested, with a variable', { flags: { demo: true }, env: { SWARMLENS_OBSERVE: 'codex' } }],
  ])('returns the demo when %s', async (_name, given) => {
    expect(await load(given)).toMatchObject({ demo: true, servers: [{ id: 'claude-flow' }, {}, {}] });
    expect(await idsOf(given)).toHaveLength(3);
  });

  test.each<[string, Given, readonly string[]]>([
    [
      'an unknown name',
      { flags: { observe: 'claude-cod' } },
      ['--observe: is "claude-cod" – expected claude-code or codex, did you mean "claude-code"?'],
    ],
    ['an empty name', { flags: { observe: '' } }, ['--observe: is "" – expected claude-code or codex']],
    [
      'an empty entry',
      { env: { SWARMLENS_OBSERVE: 'codex,' } },
      ['SWARMLENS_OBSERVE: is "" – expected claude-code or codex'],
    ],
    [
      'a duplicate',
      { flags: { observe: 'codex,codex' } },
      ['--observe: is "codex" – is written more than once: remove the others'],
    ],
    [
      'the id of a server',
      { flags: { observe: 'codex' }, file: { mcpServers: { codex: { command: 'a' } } } },
      [
        '--observe: is "codex" – another server of the configuration has this id: rename that server, or do not observe codex',
      ],
    ],
    [
      'the id of a server in the file',
      { file: { mcpServers: { codex: { command: 'a' } }, swarmlens: { observe: ['codex'] } } },
      [
        'swarmlens.observe: is "codex" – another server of the configuration has this id: rename that server, or do not observe codex',
      ],
    ],
    [
      'an unknown name in the file',
      { file: { mcpServers: {}, swarmlens: { observe: ['claude'] } } },
      ['swarmlens.observe.0: is "claude" – expected claude-code or codex'],
    ],
    [
      'a duplicate in the file',
      { file: { mcpServers: {}, swarmlens: { observe: ['codex', 'codex'] } } },
      ['swarmlens.observe.1: is "codex" – expected a list of claude-code, codex, each at most once'],
    ],
  ])('reports %s in one line', async (_name, given, mistakes) => {
    expect(await mistakesOf(load(given))).toEqual(mistakes);
  });

  test('knows the directories of all coding agents', async () => {
    const { discovery } = await load({ env: { HOME: '/home/me', CODEX_HOME: 'mine' } });
    expect(discovery.codingAgents).toEqual([
      { source: 'claude-code', directory: join('/home/me', '.claude') },
      { source: 'codex', directory: join(discovery.directory ?? '', 'mine') },
    ]);
  });
});
