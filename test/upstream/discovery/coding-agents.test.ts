import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { discoverCodingAgents } from '../../../src/upstream/index.js';
import { TemporaryDirectory } from '../../support/temporary-directory.js';

let home: TemporaryDirectory;

beforeAll(async () => {
  home = await TemporaryDirectory.create();
  await home.write('.codex/config.toml', '');
  await home.write('a-file', '');
});

afterAll(() => home[Symbol.asyncDispose]());

const codex = (): { readonly source: 'codex'; readonly directory: string } => ({
  source: 'codex',
  directory: home.path('.codex'),
});

describe('discoverCodingAgents', () => {
  test('lists a coding agent whose directory exists, with the way to show it', async () => {
    expect(await discoverCodingAgents([codex()], [])).toEqual([
      {
        place: home.path('.codex'),
        name: 'codex',
        version: null,
        type: 'CODEX',
        transport: 'STDIO',
        status: 'LISTED',
        capabilities: [],
        tools: [],
        serverId: null,
        detail: 'not observed; to show it: swarmlens serve --observe codex, or "observe": ["codex"] under "swarmlens"',
        entry: null,
      },
    ]);
  });

  test.each(['.claude', 'a-file'])('omits a coding agent without a directory at %s', async (name) => {
    const agents = [{ source: 'claude-code', directory: home.path(name) } as const, codex()];
    expect(await discoverCodingAgents(agents, [])).toMatchObject([{ name: 'codex' }]);
  });

  test.each<[string, string, readonly string[]]>([
    ['this program', process.execPath, ['/dist/main.js', 'observe', 'codex']],
    ['an installed program', 'swarmlens', ['observe', 'codex', '--show-text', 'titles']],
    ['npx', 'npx', ['-y', 'swarmlens', 'observe', 'codex']],
    ['a shell', 'sh', ['-c', 'swarmlens observe codex']],
  ])('names the server that observes it through %s', async (_name, command, args) => {
    const known = [{ id: 'mine', endpoint: { type: 'stdio', command, args } }];
    expect(await discoverCodingAgents([codex()], known)).toMatchObject([
      { status: 'CONFIGURED', serverId: 'mine', detail: null },
    ]);
  });

  test('does not take an observer of another coding agent for the one of this', async () => {
    const known = [{ id: 'mine', endpoint: { command: 'swarmlens', args: ['observe', 'claude-code'] } }];
    expect(await discoverCodingAgents([codex()], known)).toMatchObject([{ status: 'LISTED', serverId: null }]);
  });
});
