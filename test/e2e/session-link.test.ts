import { mkdir, readFile, realpath, rm } from 'node:fs/promises';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { describe, expect, test } from 'vitest';
import type { App } from '../../src/app/create-app.js';
import type { ServerConfig } from '../../src/config/index.js';
import { invented, ObservedDirectory } from '../observers/observed-directory.js';
import { PROGRAM, request, serverConfig, simulator, startApp } from '../support/app.js';
import { TAP_KEY_FILE } from '../support/tap-key-file.js';
import { waitUntil } from '../support/wait.js';

const { session, path, prompt } = invented;
const OTHER = '22222222-2222-4333-8444-555555555555';

/** Returns the entry of an observer that runs as a process of its own. */
function observer(directory: ObservedDirectory): ServerConfig {
  const args = [PROGRAM, 'observe', 'claude-code', '--no-hooks', '--root', directory.root];
  const env = { XDG_STATE_HOME: directory.outside('state'), LOG_LEVEL: 'silent' };
  return serverConfig('claude', args, {
    endpoint: { type: 'stdio', command: process.execPath, args, cwd: process.cwd(), env },
  });
}

async function createProject(directory: ObservedDirectory): Promise<string> {
  const project = directory.outside('project');
  await mkdir(project);
  return await realpath(project);
}

/** Returns an entry in the register of live sessions for this process. */
async function registerEntry(sessionId: string, cwd: string): Promise<string> {
  const stat = await readFile(`/proc/${process.pid}/stat`, 'utf8').catch(() => null);
  const procStart = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
  return JSON.stringify({ pid: process.pid, sessionId, cwd, procStart, kind: 'interactive', status: 'busy' });
}

/** Returns the first prompt of a session in a directory. */
function promptIn(sessionId: string, cwd: string): string {
  const record = JSON.parse(prompt(0)) as object; // of the fixture
  return `${JSON.stringify({ ...record, sessionId, cwd })}\n`;
}

async function swarmsOf(app: App, serverId: string): Promise<readonly unknown[]> {
  const query = '{ swarms { serverId session { agentId inferred agent { name status } } } }';
  const { data } = await request(app, query);
  const swarms = data?.['swarms'] as readonly { readonly serverId: string; readonly session: unknown }[]; // as selected
  return swarms.filter((swarm) => swarm.serverId === serverId).map((swarm) => swarm.session);
}

async function untilLinked(app: App, serverId: string, expected: unknown): Promise<void> {
  let seen: readonly unknown[] = [];
  const matches = async (): Promise<boolean> => {
    await request(app, 'mutation { requestAgentUpdate { serverIds } }');
    seen = await swarmsOf(app, serverId);
    return seen.length > 0 && seen.every((link) => JSON.stringify(link) === JSON.stringify(expected));
  };
  await waitUntil(matches, { state: () => ({ seen, expected }) });
}

/** Starts a simulator behind a tap as a child of this process, as a session does. */
async function startTapped(app: App, cwd: string): Promise<AsyncDisposable> {
  const simulated = [process.execPath, PROGRAM, 'simulate', '--type', 'ruv-swarm', '--agents', '2', '--hz', '0'];
  const args = [PROGRAM, 'tap', '--server', 'mine', '--url', app.url, '--key-file', TAP_KEY_FILE, '--', ...simulated];
  const client = new Client({ name: 'agent', version: '1' }, { capabilities: {} });
  await client.connect(new StdioClientTransport({ command: process.execPath, args, cwd, stderr: 'inherit' }));
  return { [Symbol.asyncDispose]: () => client.close() };
}

describe('Swarm.session', () => {
  test('is the session whose process has started the tap, until its process ends', async () => {
    await using directory = await ObservedDirectory.create();
    const cwd = await createProject(directory);
    await directory.write(path, promptIn(session, cwd));
    await directory.write(`projects/-other/${OTHER}.jsonl`, promptIn(OTHER, cwd));
    const entry = `sessions/${process.pid}.json`;
    await directory.write(entry, await registerEntry(session, cwd));
    await using app = await startApp([observer(directory)]);
    await using user = await startTapped(app, cwd);

    const agentId = `claude:${session}`;
    await untilLinked(app, 'mine', { agentId, inferred: false, agent: { name: 'project', status: 'BUSY' } });
    await user[Symbol.asyncDispose]();
    await rm(`${directory.root}/${entry}`);
    await untilLinked(app, 'mine', null);
    expect(await swarmsOf(app, 'claude')).toEqual([null, null]);
  });

  test('is the only session in the directory of a configured claude-flow, and null when a second one works there', async () => {
    await using directory = await ObservedDirectory.create();
    const cwd = await createProject(directory);
    await directory.write(path, promptIn(session, cwd));
    const flow = simulator('claude-flow', { hz: 0 });
    const { endpoint } = flow;
    if (endpoint.type !== 'stdio') throw new Error('the simulator runs over stdio');
    await using app = await startApp([observer(directory), { ...flow, endpoint: { ...endpoint, cwd } }]);

    const link = { agentId: `claude:${session}`, inferred: true, agent: { name: 'project', status: 'BUSY' } };
    await untilLinked(app, 'claude-flow', link);
    await directory.write(`projects/-other/${OTHER}.jsonl`, promptIn(OTHER, cwd));
    await untilLinked(app, 'claude-flow', null);
  });

  test('needs no path, which the observer does not send', async () => {
    await using directory = await ObservedDirectory.create();
    await directory.write(path, promptIn(session, '/home/dev/secret-place/shop'));
    await using app = await startApp([observer(directory)]);
    await waitUntil(async () => (await swarmsOf(app, 'claude')).length === 1, { state: () => 'no session' });
    await using running = directory.observe();
    await running.ready;

    expect(JSON.stringify(running.lists.swarms.values())).not.toContain('secret-place');
    expect(running.lists.swarms.values()[0]?.directoryKey).toMatch(/^[0-9a-f]{64}$/);
  });
});
