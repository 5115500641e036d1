import { spawn } from 'node:child_process';
import { once } from 'node:events';
import stringWidth from 'string-width';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { App } from '../../src/app/create-app.js';
import { PROGRAM, serverConfig, simulator, startApp } from '../support/app.js';
import { Program } from '../support/program.js';
import { HAS_TMUX, Tmux, TMUX_REASON } from '../support/tmux.js';

let app: App;
/** Server at a port where nothing listens. */
const unreachable = serverConfig('gone', [], {
  endpoint: { type: 'http', url: 'http://127.0.0.1:9/mcp', headers: {} },
});

beforeAll(async () => {
  app = await startApp([
    simulator('ruv-swarm', { agents: 4, hz: 30 }),
    simulator('daa', { agents: 2, hz: 0 }),
    unreachable,
  ]);
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

/** Screen on which the shell waits for a command. */
const PROMPT = /^\$\s*$(?![^]*\S)/m;
describe.skipIf(!HAS_TMUX)(`swarmlens watch in a terminal${TMUX_REASON}`, () => {
  const command = (...words: string[]): string =>
    [process.execPath, PROGRAM, 'watch', '--url', app.url, ...words].join(' ');

  test('draws the table, follows keys and the size, suspends, and restores the terminal', async () => {
    // Ink draws nothing while this variable is set, unless it is hidden from it.
    await using terminal = await Tmux.open({ columns: 80, rows: 24, env: { CI: 'true' } });
    await terminal.send(command(), 'Enter');
    const wide = await terminal.shows(/^OFFLINE gone: .*[^]*^>/m);
    expect(wide).toHaveLength(24);
    expect(wide[0]).toMatch(/^\d+ agents · .*live · http:/);
    expect(wide.find((line) => line.includes('AGENT'))).toMatch(/AGENT +NOW▾ +SINCE +TOKENS +COST +CTX +SERVER$/);
    expect(wide.join('\n')).toMatch(/^q quit {2}\? help {2}\/ filter {2}Enter details/m);
    expect(wide.filter((line) => / (ruv-swarm|daa)\s*$/.test(line))).toHaveLength(Number.parseInt(wide[0] ?? '', 10));

    await terminal.send('j', 'Down');
    await terminal.shows(/row [2-9] /);
    await terminal.send('/', 'daa');
    await terminal.shows(/^Filter: daa_$/m);
    await terminal.send('Enter');
    await terminal.shows(/filter "daa" · 2 of \d+ agents · row 1/);
    await terminal.send('Enter');
    await terminal.shows(/^Id +daa:[^]*^Tokens +unknown$/m);
    await terminal.send('q', 'Escape');

    await terminal.resize(40, 10);
    const narrow = await terminal.shows(/^OFFLINE gone: .*\n +AGENT +NOW▾ +SINCE +CTX\n>/m);
    expect(narrow).toHaveLength(10);
    for (const line of narrow) expect(stringWidth(line)).toBeLessThanOrEqual(40);
    expect(narrow.filter((line) => line.startsWith('>'))).toHaveLength(1);

    await terminal.send('C-z');
    await terminal.shows(/Stopped/);
    expect(await terminal.isAlternate()).toBe(false);
    await terminal.send('echo "shell: $((40 + 2))"', 'Enter');
    await terminal.shows(/^shell: 42$/m);
    await terminal.send('fg', 'Enter');
    await terminal.shows(/^OFFLINE gone[^]*^>/m);
    await terminal.send('t', '?');
    await terminal.shows(/^Enter +Show all details/m);
    await terminal.send('q', 'q');
    await terminal.shows(PROMPT);
    await terminal.send('echo "code: $?"; stty -a | grep -o " icanon"', 'Enter');
    await terminal.shows(/^code: 0\n icanon$/m);
    expect(await terminal.isAlternate()).toBe(false);
  });

  test('exits with 0 on Ctrl-C, and uses no colors with NO_COLOR', async () => {
    await using terminal = await Tmux.open({ columns: 100, rows: 20, env: { NO_COLOR: '1' } });
    await terminal.send(command(), 'Enter');
    await terminal.shows(/^OFFLINE gone[^]*^>/m);
    expect(await terminal.captureStyles()).not.toContain('\u001b[');
    await terminal.send('C-c');
    await terminal.shows(PROMPT);
    await terminal.send('echo "code: $?"', 'Enter');
    await terminal.shows(/^code: 0$/m);
    expect(await terminal.isAlternate()).toBe(false);
  });

  test('prints lines when the terminal is dumb', async () => {
    await using terminal = await Tmux.open({ columns: 120, rows: 20, env: { TERM: 'dumb' } });
    await terminal.send(command('--server-type', 'daa'), 'Enter');
    await terminal.shows(/Z \+ daa:/);
    expect(await terminal.isAlternate()).toBe(false);
    await terminal.send('C-c');
  });
});
