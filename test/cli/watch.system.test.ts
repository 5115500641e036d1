import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { App } from '../../src/app/create-app.js';
import { TokenDirectory } from '../auth/files.js';
import { PROGRAM, simulator, startApp } from '../support/app.js';
import { Program } from '../support/program.js';

let app: App;

beforeAll(async () => {
  app = await startApp([simulator('ruv-swarm', { agents: 4, hz: 30 }), simulator('daa', { agents: 2, hz: 0 })]);
});

afterAll(async () => {
  await app[Symbol.asyncDispose]();
});

function watch(args: readonly string[], env: NodeJS.ProcessEnv = {}, url = app.url): Program {
  return new Program(['watch', '--url', url, ...args], { cwd: process.cwd(), env });
}

describe('where standard output is no terminal', () => {
  test('there is a line for each agent, and one for each change, until it is asked to stop', async () => {
    await using program = watch([]);
    await program.printed(/^\S+Z \+ ruv-swarm:\S+ \S+ \S+ \S+$/m);
    await program.printed(/^\S+Z \+ daa:\S+ /m);
    await program.printed(/^\S+Z ~ ruv-swarm:\S+ /m);
    program.kill('SIGINT');
    expect(await program.outcome()).toMatchObject({ code: 0, stderr: '' });
    expect(program.stdout).not.toContain('\u001b');
  });

  test('--json prints one update a line, of the agents that are asked for', async () => {
    await using program = watch(['--json', '--server-type', 'daa', '--mode', 'low']);
    await program.printed(/\n/);
    program.kill('SIGTERM');
    const { code, stdout } = await program.outcome();
    expect(code).toBe(0);
    const [first = ''] = stdout.split('\n');
    const update = JSON.parse(first) as { kind: string; agents: { serverType: string }[] }; // as documented
    expect(update).toMatchObject({ kind: 'SNAPSHOT', removedAgentIds: [], staleServerIds: [] });
    expect(update.agents).toHaveLength(2);
    expect(new Set(update.agents.map(({ serverType }) => serverType))).toEqual(new Set(['DAA']));
  });

  test('who has read enough ends it', async () => {
    const child = spawn(process.execPath, [PROGRAM, 'watch', '--url', app.url], { stdio: ['ignore', 'pipe', 'pipe'] });
    await once(child.stdout, 'data');
    child.stdout.destroy();
    expect(await once(child, 'exit')).toEqual([0, null]);
  });
});

describe('what does not work is told with what to do', () => {
  test('nobody listens there', async () => {
    await using program = watch([], {}, 'http://127.0.0.1:9');
    const { code, stdout, stderr } = await program.outcome();
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(
      /^http:\/\/127\.0\.0\.1:9 cannot be reached: .*ECONNREFUSED.*\nStart it with `swarmlens serve`.*\n$/,
    );
  });

  test.each<[string, Parameters<TokenDirectory['create']>[0] | null | 'wrong', RegExp]>([
    [
      'there is no token',
      null,
      /a token is required\nCreate one with `swarmlens token create --scopes agents:read,health:read`/,
    ],
    ['the token is not known', 'wrong', /the token was rejected: .*\nCreate one with/],
    ['the token may not see agents', { permissions: ['health:read'] }, /"agents:read"/],
  ])('%s', async (_what, token, says) => {
    await using directory = await TokenDirectory.make();
    const { text } = await directory.create(token === 'wrong' ? {} : (token ?? {}));
    await using locked = await startApp([], { auth: { tokens: directory.file, jwt: null } });
    const SWARMLENS_TOKEN = token === 'wrong' ? `${text}x` : text;
    await using program = watch([], token === null ? {} : { SWARMLENS_TOKEN }, locked.url);
    const { code, stdout, stderr } = await program.outcome();
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(says);
    expect(stderr).not.toContain(text);
  });

  test.each<[readonly string[], RegExp]>([
    [['--mode', 'hihg'], /--mode is "hihg", did you mean "high"\?, expected high, normal, low, on-demand/],
    [['--server-type', 'flow'], /--server-type has "flow", expected CLAUDE_FLOW, RUV_SWARM, DAA, CUSTOM/],
    [['--type', 'a,,b'], /--type has an empty entry/],
    [['--url', 'ftp://x'], /--url: .*http:\/\//],
    [['--url', 'http://me:geheim@x'], /--url: .*must not contain a user name, a password/],
  ])('%j is bad usage: exit 2', async (args, message) => {
    await using program = new Program(['watch', ...args], { cwd: process.cwd() });
    const { code, stderr } = await program.outcome();
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(/^[^\n]+\nTry: swarmlens watch --help\n$/);
    expect(stderr).not.toContain('geheim');
  });
});

const hasScript = (process.env['PATH'] ?? '').split(delimiter).some((folder) => existsSync(join(folder, 'script')));

describe.skipIf(!hasScript)(
  `in a terminal${hasScript ? '' : ' (skipped: script of util-linux is not on the PATH)'}`,
  () => {
    test('it draws the table in place, and Ctrl-C leaves the terminal as it was', async () => {
      const command = `stty cols 90 rows 16; exec ${process.execPath} ${PROGRAM} watch --url ${app.url}`;
      const child = spawn('script', ['-qec', command, '/dev/null'], {
        env: { PATH: process.env['PATH'], SHELL: '/bin/sh' },
      });
      let seen = '';
      child.stdout.on('data', (chunk: Buffer) => (seen += chunk.toString()));
      const until = async (pattern: RegExp): Promise<void> => {
        while (!pattern.test(seen)) await once(child.stdout, 'data');
      };
      try {
        await until(/ruv-swarm +ONLINE[^]*daa +ONLINE[^]*Press Ctrl-C to exit/);
        // What Ctrl-C is to a terminal.
        child.stdin.write('\u0003');
        const [code] = (await once(child, 'exit')) as [number | null]; // as documented
        expect(code).toBe(0);
      } finally {
        child.kill('SIGKILL');
      }
      expect(seen.indexOf('\u001b[?1049h\u001b[?25l')).toBeGreaterThanOrEqual(0);
      expect(seen.trimEnd().endsWith('\u001b[?25h\u001b[?1049l')).toBe(true);
      const drawn = seen.split('\u001b[H').slice(1);
      expect(drawn.length).toBeGreaterThanOrEqual(2);
      for (const frame of drawn) expect(frame.split('\r\n').length).toBeLessThanOrEqual(17);
    });
  },
);
