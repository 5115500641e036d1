import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { App } from '../../src/app/create-app.js';
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

describe('swarmlens watch without a terminal', () => {
  test('prints a line for each agent and each change until SIGINT', async () => {
    await using program = watch([]);
    await program.printed(/^\S+Z \+ ruv-swarm:\S+ \S+ \S+ \S+$/m);
    await program.printed(/^\S+Z \+ daa:\S+ /m);
    await program.printed(/^\S+Z ~ ruv-swarm:\S+ /m);
    program.kill('SIGINT');
    expect(await program.outcome()).toMatchObject({ code: 0, stderr: '' });
    expect(program.stdout).not.toContain('\u001b');
  });

  test('prints one update of the selected agents per line with --json', async () => {
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

  test('exits with 0 when the reader closes standard output', async () => {
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
  `swarmlens watch in a terminal${hasScript ? '' : ' (skipped: script of util-linux is not on the PATH)'}`,
  () => {
    test('redraws the table in place and restores the terminal on Ctrl-C', async () => {
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
        await changes.until(() => /ruv-swarm +ONLINE[^]*daa +ONLINE[^]*Press Ctrl-C to exit/.test(seen), {
          state: () => seen.slice(-2_000),
          failure: () => (child.exitCode === null ? null : `watch ended with ${child.exitCode}`),
        });
        // A terminal sends this character for Ctrl-C.
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
