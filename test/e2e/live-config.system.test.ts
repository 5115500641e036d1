import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PROGRAM, request, SocketClient, StreamedState } from '../support/app.js';
import { Program } from '../support/program.js';

let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'swarmlens-test-'));
});

afterAll(async () => {
  await rm(directory, { recursive: true, force: true });
});

interface NoticeSeen {
  readonly notices: { readonly code: string; readonly message: string };
}

function entry(type: string, seed = 1, swarmlens: object = {}): object {
  const args = [PROGRAM, 'simulate', '--type', type, '--agents', '4', '--seed', `${seed}`, '--hz', '0'];
  return { command: process.execPath, args, swarmlens };
}

/** Replaces the configuration file by a rename, as editors do. */
async function save(config: object | string): Promise<void> {
  const next = join(directory, 'next.json');
  await writeFile(next, typeof config === 'string' ? config : JSON.stringify(config));
  await rename(next, join(directory, 'live.json'));
}

/** Returns the ids of the child processes from procfs, so this test needs Linux. */
async function childrenOf(pid: number): Promise<readonly string[]> {
  return (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).trim().split(/\s+/);
}

test('swarmlens serve applies changes of the configuration file and ignores invalid files', async () => {
  await save({ mcpServers: { daa: entry('daa'), same: entry('daa') } });
  await using program = new Program(['serve', '--config', 'live.json', '--port', '0'], { cwd: directory });
  const [, url = ''] = await program.printed(/ready at (\S+)\/graphql/);
  await program.wrote(/mcpServers\.same: is the same server as mcpServers\.daa/);
  await using client = new SocketClient({ url });
  using stream = client.watchAgents({ mode: 'HIGH_FREQUENCY' });
  using notices = client.subscribe<NoticeSeen>('subscription { notices { code message } }');
  const state = (): StreamedState => {
    const streamed = new StreamedState();
    for (const update of stream.data) streamed.apply(update);
    return streamed;
  };
  const seen = (serverId: string): number =>
    [...state().whole.values()].filter((agent) => agent['serverId'] === serverId).length;
  await stream.until(() => seen('daa') > 0);
  const servers = async (): Promise<unknown> => (await request({ url }, '{ servers { id } }')).data?.['servers'];
  expect(await servers()).toEqual([{ id: 'daa' }]);

  // Adds a server that differs only in its seed, and changes allowed tools without a reconnect.
  const [child] = await childrenOf(program.pid);
  const allowed = entry('daa', 1, { allowTools: ['spawn_agent'] });
  await save({ mcpServers: { daa: allowed, more: entry('daa', 2) } });
  await stream.until(() => seen('more') > 0);
  await notices.until((all) => all.some(({ notices: { message } }) => message.endsWith('added more; changed daa')));
  expect(await childrenOf(program.pid)).toEqual([child, expect.any(String)]);
  const spawn =
    'mutation { callTool(serverId: "daa", tool: "spawn_agent", arguments: { name: "x", agent_type: "y" }) { isError } }';
  expect((await request({ url }, spawn)).errors).toBeUndefined();

  // An invalid file must change nothing.
  await save('{"mcpServers": {}, "swarmlens": {"busPrefix": "${NOT_SET_ANYWHERE}"}}');
  await notices.until((all) => all.some(({ notices: { code } }) => code === 'CONFIG_INVALID'));
  expect(notices.data.at(-1)?.notices.message).toContain('swarmlens.busPrefix: environment variable');
  expect(await servers()).toEqual([{ id: 'daa' }, { id: 'more' }]);
  expect(program.stderr).toContain('The changed configuration is invalid and was not applied');

  // Removes one server and its agents, and replaces the process of the other.
  const gone = seen('more');
  await save({ mcpServers: { daa: entry('daa', 3) }, swarmlens: { heartbeatMs: 1_234 } });
  await notices.until((all) => all.some(({ notices: { message } }) => message.endsWith('removed more; changed daa')));
  await stream.until(() => seen('more') === 0 && seen('daa') > 0);
  expect(gone).toBeGreaterThan(0);
  expect(state().patched.size).toBe(state().whole.size);
  expect(await servers()).toEqual([{ id: 'daa' }]);
  const children = await childrenOf(program.pid);
  expect(children).toHaveLength(1);
  expect(children).not.toContain(child);
  await notices.until((all) => all.some(({ notices: { message } }) => message.startsWith('heartbeatMs: changed')));

  program.kill('SIGTERM');
  expect((await program.outcome()).code).toBe(0);
});
