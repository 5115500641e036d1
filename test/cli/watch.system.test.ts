import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { App } from '../../src/app.js';
import { PROGRAM, simulator, startApp } from '../support/app.js';
import { Program } from '../support/program.js';
import { ChangeNotifier } from '../support/wait.js';

let app: App;

beforeAll(async () => {
  app = await startApp([simulator('ruv-swarm', { agents: 4, hz: 30 }), simulator('daa', { agents: 2, hz: 0 })]);
});

afterAll(async () => {
  await app[Symbol.asyncDispose]();
});

function watch(args: readonly string[]): Program {
  return new Program(['watch', '--url', app.url, ...args], { cwd: process.cwd() });
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
    const ended = once(child, 'exit');
    const [first] = await Promise.race([once(child.stdout, 'data'), ended]);
    expect(first).toBeInstanceOf(Buffer);
    child.stdout.destroy();
    expect(await ended).toEqual([0, null]);
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
      const changes = new ChangeNotifier();
      child.stdout.on('data', (chunk: Buffer) => {
        seen += chunk.toString();
        changes.notify();
      });
      const ended = once(child, 'exit').finally(() => changes.notify());
      try {
        await changes.until(() => /ruv-swarm +ONLINE[^]*daa +ONLINE[^]*Ctrl-C ends/.test(seen), {
          state: () => seen.slice(-2_000),
          failure: () => (child.exitCode === null ? null : `watch ended with ${child.exitCode}`),
        });
        // What Ctrl-C is to a terminal.
        child.stdin.write('\u0003');
        expect(await ended).toEqual([0, null]);
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
