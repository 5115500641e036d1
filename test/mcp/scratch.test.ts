import { mkdir, mkdtemp, readdir, realpath, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { connectSession, type StdioEndpoint } from '../../src/mcp/index.js';
import { relocateEndpoint } from '../../src/mcp/transports/stdio/relocate-endpoint.js';
import { call, CALL, connectOptions, endpointOf, outcomeOf } from './support.js';

/** Temporary directory with empty files. Disposing removes it. */
class Project implements AsyncDisposable {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  static async create(...files: string[]): Promise<Project> {
    const path = await realpath(await mkdtemp(join(tmpdir(), 'project-')));
    for (const file of files) {
      await mkdir(join(path, file, '..'), { recursive: true });
      await writeFile(join(path, file), '');
    }
    return new Project(path);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.path, { recursive: true });
  }
}

const REPORT = z.object({ entries: z.number(), cwd: z.string(), observed: z.string().optional() });

describe('session with a scratch directory', () => {
  const connectIn = (cwd: string, useScratchDirectory: boolean): ReturnType<typeof connectSession> =>
    connectSession({ ...endpointOf('ledger'), cwd }, connectOptions({ useScratchDirectory }));

  test('runs the server outside the project and leaves no files behind', async () => {
    await using project = await Project.create();
    const session = await connectIn(project.path, true);
    const { cwd, observed } = REPORT.parse((await call(session, 'agent_list')).value);
    expect(observed).toBe(project.path);
    expect(cwd).not.toBe(project.path);
    if (process.platform !== 'win32') expect((await stat(cwd)).mode & 0o077).toBe(0);
    await session[Symbol.asyncDispose]();
    expect(await readdir(project.path)).toEqual([]);
    expect(await outcomeOf(stat(cwd))).toMatchObject({ code: 'ENOENT' });
  });

  test('runs the server in the project when the scratch directory is off', async () => {
    await using project = await Project.create();
    await using session = await connectIn(project.path, false);
    expect(REPORT.parse((await call(session, 'agent_list')).value)).toEqual({ entries: 1, cwd: project.path });
  });

  test('deletes the files of the server after every 20 calls', async () => {
    await using project = await Project.create();
    await using session = await connectIn(project.path, true);
    const entries: number[] = [];
    for (let round = 0; round < 45; round += 1) {
      entries.push(REPORT.parse((await call(session, 'agent_list')).value).entries);
    }
    const upTo = (last: number): number[] => Array.from({ length: last }, (_, index) => index + 1);
    expect(entries).toEqual([...upTo(20), ...upTo(20), ...upTo(5)]);
  });

  test('keeps the files while a call is in flight or after a call that timed out', async () => {
    await using project = await Project.create();
    await using session = await connectIn(project.path, true);
    const inFlight = call(session, 'wait');
    for (let round = 0; round < 30; round += 1) await call(session, 'agent_list');
    const last = REPORT.parse((await call(session, 'agent_list')).value);
    expect(last.entries).toBe(32);
    const [answer] = await Promise.all([inFlight, call(session, 'go')]);
    expect(REPORT.parse(answer.value).entries).toBe(32);
    expect(REPORT.parse((await call(session, 'agent_list')).value).entries).toBe(1);
    for (let round = 0; round < 18; round += 1) await call(session, 'agent_list');
    for (let round = 0; round < 5; round += 1) {
      await outcomeOf(session.callTool('wait', {}, { ...CALL, timeoutMs: 5 }));
    }
    expect(REPORT.parse((await call(session, 'agent_list')).value).entries).toBe(25);
  });

  test('removes the scratch directory when connecting fails', async () => {
    await using folder = await Project.create();
    vi.stubEnv('TMPDIR', folder.path);
    expect(tmpdir()).toBe(folder.path);
    const options = connectOptions({ useScratchDirectory: true });
    expect(await outcomeOf(connectSession(endpointOf('dying'), options))).toMatchObject({ name: 'TransportError' });
    expect(await readdir(folder.path)).toEqual([]);
  });
});

describe('relocateEndpoint', () => {
  const endpoint = (cwd: string, command: string, ...args: string[]): StdioEndpoint => ({
    type: 'stdio',
    command,
    args,
    cwd,
    env: { PATH: '/bin' },
  });

  test('makes relative paths of existing files absolute', async () => {
    await using project = await Project.create('bin/server', 'server.js', 'mcp/index.js', 'a=b/c.json', 'start');
    const { command, args, cwd, env } = relocateEndpoint(
      endpoint(project.path, './bin/server', 'server.js', '--config=./mcp/index.js', './a=b/c.json', '/abs', '.'),
      '/elsewhere',
    );
    const inProject = (path: string): string => join(project.path, path);
    expect(command).toBe(inProject('bin/server'));
    expect(args).toEqual([
      inProject('server.js'),
      `--config=${inProject('mcp/index.js')}`,
      inProject('a=b/c.json'),
      '/abs',
      project.path,
    ]);
    expect({ cwd, env }).toEqual({ cwd: '/elsewhere', env: { PATH: '/bin' } });
  });

  test('keeps subcommands, options and missing files unchanged', async () => {
    await using project = await Project.create('mcp/start', 'start', 'node');
    const args = ['mcp', 'start', '--port', '3000', './missing.js', '@scope/name', '-'];
    expect(relocateEndpoint(endpoint(project.path, 'node', ...args), '/elsewhere')).toMatchObject({
      command: 'node',
      args,
    });
  });

  test('passes the project and its installed programs to npx', async () => {
    await using project = await Project.create('package.json', 'node_modules/.bin/x', 'deep/er/node_modules/.bin/y');
    const deep = join(project.path, 'deep', 'er');
    await mkdir(join(project.path, 'deep', 'down'));
    const moved = relocateEndpoint(endpoint(deep, 'npx', '-y', 'claude-flow@alpha', 'mcp', 'start'), '/elsewhere');
    expect(moved.args).toEqual(['--prefix', deep, '-y', 'claude-flow@alpha', 'mcp', 'start']);
    const bins = [deep, project.path].map((path) => join(path, 'node_modules', '.bin'));
    expect(moved.env['PATH']?.split(':').slice(0, 2)).toEqual(bins);
    expect(moved.env['PATH']?.endsWith(':/bin')).toBe(true);
    const beside = relocateEndpoint(endpoint(join(project.path, 'deep', 'down'), '/usr/bin/npx', 'x'), '/elsewhere');
    expect(beside.args).toEqual(['--prefix', project.path, 'x']);
  });
});
