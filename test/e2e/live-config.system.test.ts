import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PROGRAM, request, SocketClient, WirePicture } from '../support/app.js';
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

/** As editors do: another file takes the name. */
async function save(config: object | string): Promise<void> {
  const next = join(directory, 'next.json');
  await writeFile(next, typeof config === 'string' ? config : JSON.stringify(config));
  await rename(next, join(directory, 'live.json'));
}

/** Linux keeps a list of them. */
async function childrenOf(pid: number): Promise<readonly string[]> {
  return (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).trim().split(/\s+/);
}

test('servers come, go and change with the configuration file, and a file that is wrong changes nothing', async () => {
  await save({ mcpServers: { daa: entry('daa'), same: entry('daa') } });
  await using program = new Program(['serve', '--config', 'live.json', '--port', '0'], { cwd: directory });
  const [, url = ''] = await program.printed(/ready at (\S+)\/graphql/);
  await program.wrote(/mcpServers\.same: is the same server as mcpServers\.daa/);
  await using client = new SocketClient({ url });
  using stream = client.watchAgents({ mode: 'HIGH_FREQUENCY' });
  using notices = client.subscribe<NoticeSeen>('subscription { notices { code message } }');
  const picture = (): WirePicture => {
    const made = new WirePicture();
    for (const update of stream.data) made.apply(update);
    return made;
  };
  const seen = (serverId: string): number =>
    [...picture().whole.values()].filter((agent) => agent['serverId'] === serverId).length;
  await stream.until(() => seen('daa') > 0);
  const servers = async (): Promise<unknown> => (await request({ url }, '{ servers { id } }')).data?.['servers'];
  expect(await servers()).toEqual([{ id: 'daa' }]);

  // One more, which is another only by its seed, and the tools of the other without a new connection.
  const [child] = await childrenOf(program.pid);
  const allowed = entry('daa', 1, { allowTools: ['spawn_agent'] });
  await save({ mcpServers: { daa: allowed, more: entry('daa', 2) } });
  await stream.until(() => seen('more') > 0);
  await notices.until((all) => all.some(({ notices: { message } }) => message.endsWith('added more; changed daa')));
  expect(await childrenOf(program.pid)).toEqual([child, expect.any(String)]);
  const spawn =
    'mutation { callTool(serverId: "daa", tool: "spawn_agent", arguments: { name: "x", agent_type: "y" }) { isError } }';
  expect((await request({ url }, spawn)).errors).toBeUndefined();

  // A file that is wrong.
  await save('{"mcpServers": {"daa": {"command": "${NOT_SET_ANYWHERE}"}}}');
  await notices.until((all) => all.some(({ notices: { code } }) => code === 'CONFIG_INVALID'));
  expect(notices.data.at(-1)?.notices.message).toContain('mcpServers.daa.command: the environment has no variable');
  expect(await servers()).toEqual([{ id: 'daa' }, { id: 'more' }]);
  expect(program.stderr).toContain('the changed configuration is not applied');

  // One leaves, with all that it had; the other is another server now.
  const gone = seen('more');
  await save({ mcpServers: { daa: entry('daa', 3) }, swarmlens: { heartbeatMs: 1_234 } });
  await notices.until((all) => all.some(({ notices: { message } }) => message.endsWith('removed more; changed daa')));
  await stream.until(() => seen('more') === 0 && seen('daa') > 0);
  expect(gone).toBeGreaterThan(0);
  expect(picture().patched.size).toBe(picture().whole.size);
  expect(await servers()).toEqual([{ id: 'daa' }]);
  const children = await childrenOf(program.pid);
  expect(children).toHaveLength(1);
  expect(children).not.toContain(child);
  await notices.until((all) => all.some(({ notices: { message } }) => message.startsWith('heartbeatMs: changed')));

  program.kill('SIGTERM');
  expect((await program.outcome()).code).toBe(0);
});
