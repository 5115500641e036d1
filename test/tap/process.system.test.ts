import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { realpathSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { PROGRAM } from '../support/app.js';
import { randomBytes, randomFrom } from './random.js';
import { ChangeNotifier, waitUntil } from '../support/wait.js';
import { found } from './found.js';
import { fixture, Tapped } from './tapped.js';

const behaving = (behaviour: string, ...args: string[]): Tapped => Tapped.running('behaving', [behaviour, ...args]);

/** A file that nobody may run. */
const NO_PROGRAM = fixture('behaving');

describe('a tap', () => {
  test('passes both ways every byte, however it is cut', async () => {
    const random = randomFrom(7);
    await using tapped = behaving('echo').reading();
    const said = createHash('sha256');
    for (let round = 0; round < 200; round += 1) {
      const bytes = randomBytes(random, Math.floor(random() * (round % 20 === 0 ? 200_000 : 500)));
      said.update(bytes);
      await tapped.write(bytes);
    }
    tapped.child.stdin?.end();
    expect(await tapped.outcome()).toEqual({ code: 0, signal: null });
    expect(tapped.digest()).toBe(said.update('goodbye').digest('hex'));
    expect(tapped.stderr).toBe('');
  });

  test('starts the server where it was started itself, with all of its environment, its arguments, and no word of its own', async () => {
    const cwd = realpathSync(tmpdir());
    const env = { ANYTHING: 'ä b', SWARMLENS_TOKEN: 'secret' };
    const args = ['environment', '--help', '--', '--server', 'x y'];
    await using tapped = Tapped.running('behaving', args, { cwd, env }).reading();
    expect(await tapped.outcome()).toEqual({ code: 0, signal: null });
    const started = JSON.parse(Buffer.from(tapped.stdout, 'latin1').toString()) as Record<string, unknown>; // see the fixture
    expect(started).toMatchObject({ cwd, env, args: args.slice(1) });
    expect(tapped.stderr).toBe('');
  });

  test('hands on the end of the input, and what is written after that', async () => {
    await using tapped = behaving('echo', '5').reading();
    tapped.child.stdin?.end('all');
    expect(await tapped.outcome()).toEqual({ code: 5, signal: null });
    expect(tapped.stdout).toBe('allgoodbye');
  });

  test('hands on the end of the output of a server that goes on', async () => {
    await using tapped = behaving('closesOutput').reading();
    if (tapped.child.stdout !== null) await once(tapped.child.stdout, 'end');
    expect(tapped.stdout).toBe('last');
    await tapped.write('more');
    await tapped.until(() => tapped.stderr.includes('got more'));
    tapped.child.stdin?.end();
    expect(await tapped.outcome()).toEqual({ code: 6, signal: null });
  });

  test('hands on the end of the output through a pipe of the system, too', async () => {
    const line = [process.execPath, PROGRAM, 'tap', '--server', 'x', '--', process.execPath, fixture('behaving')];
    const script = '"$@" | (cat >&2; echo " and the end" >&2)';
    const shell = spawn('sh', ['-c', script, 'sh', ...line, 'closesOutput'], { stdio: ['pipe', 'ignore', 'pipe'] });
    const changes = new ChangeNotifier();
    let said = '';
    shell.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      changes.notify();
    });
    const state = (): string => said;
    // What was said before the server ended: it does so when its input does.
    await changes.until(() => said.includes('and the end'), { state });
    shell.stdin.end('more');
    await changes.until(() => said.includes('got more'), { state });
    expect(said).toBe('last and the end\ngot more\n');
  });

  test('tells a client that writes to a server which no longer reads', async () => {
    await using tapped = behaving('closesInput').reading();
    const pid = await tapped.until(() => /closed (\d+)\n/.exec(tapped.stdout)?.[1]);
    const { stdin } = tapped.child;
    const failed = new Promise<unknown>((resolve) => stdin?.once('error', resolve));
    // The first are still taken in.
    const isRefused = (): boolean => {
      if (stdin?.writable === true) stdin.write('x');
      return stdin?.writable !== true;
    };
    await waitUntil(isRefused, { state: () => ({ stderr: tapped.stderr }) });
    expect(await failed).toMatchObject({ code: expect.stringMatching(/EPIPE|ECONNRESET/) });
    process.kill(Number(pid));
    expect(await tapped.outcome()).toEqual({ code: null, signal: 'SIGTERM' });
  });

  test('tells a server that writes to a client which no longer reads', async () => {
    await using tapped = behaving('writes');
    tapped.child.stdout?.destroy();
    expect(await tapped.outcome()).toEqual({ code: 8, signal: null });
    expect(tapped.stderr).toMatch(/EPIPE|ECONNRESET/);
  });

  test.each([0, 1, 3, 255])('ends with the exit code of the server: %i', async (code) => {
    await using tapped = behaving('exit', `${code}`);
    expect(await tapped.outcome()).toEqual({ code, signal: null });
  });

  test.each<NodeJS.Signals>(['SIGTERM', 'SIGKILL', 'SIGINT'])(
    'ends by the signal that ended the server: %s',
    async (signal) => {
      await using tapped = behaving('kill', signal);
      expect(await tapped.outcome()).toEqual({ code: null, signal });
    },
  );

  test('hands on signals, as often as they come, and ends by the one that the server ends by', async () => {
    const signals: NodeJS.Signals[] = ['SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGTERM'];
    await using tapped = behaving('signals', ...signals).reading();
    await tapped.until(() => tapped.stdout.includes('ready'));
    let expected = 'ready\n';
    for (const signal of ['SIGINT', ...signals] as const) {
      tapped.child.kill(signal);
      expected += `${signal}\n`;
      if (signal !== 'SIGTERM') await tapped.until(() => tapped.stdout === expected);
    }
    expect(await tapped.outcome()).toEqual({ code: null, signal: 'SIGTERM' });
    expect(tapped.stdout).toBe(expected);
    expect(tapped.stderr).toBe('');
  });

  test('ends with its server, though another process holds the output open', async () => {
    await using tapped = behaving('leaves').reading();
    const pid = await tapped.until(() => /other (\d+)/.exec(tapped.stderr)?.[1]);
    try {
      // Its end, and not that of its output: that the other process may write to.
      await once(tapped.child, 'exit');
      expect(tapped.child.exitCode).toBe(3);
      expect(tapped.stdout).toBe('mine');
    } finally {
      process.kill(Number(pid));
    }
  });

  test.each([
    [['no-such-command'], 127, 'swarmlens tap: no-such-command: command not found\n'],
    [[NO_PROGRAM], 126, `swarmlens tap: ${NO_PROGRAM}: cannot be started: spawn ${NO_PROGRAM} EACCES\n`],
  ])('says what it cannot start, and ends as a shell does: %j', async (command, code, message) => {
    await using tapped = new Tapped(command).reading();
    expect(await tapped.outcome()).toEqual({ code, signal: null });
    expect(tapped).toMatchObject({ stdout: '', stderr: message });
  });
});

/** Far more than all buffers on the way. */
const FLOOD_BYTES = 64 * 1024 * 1024;
/** What those may hold together: sockets of the system, and streams. */
const MAX_ON_THE_WAY_BYTES = 4 * 1024 * 1024;

/** Whether it has not been waited for by its parent yet. */
function exists(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

const stuckAt = (text: string): string | undefined => /stuck (\d+)/.exec(text)?.[1];

describe('a tap whose reader does not read', () => {
  test('holds up the server', async () => {
    await using tapped = behaving('floods', `${FLOOD_BYTES}`);
    const written = Number(await tapped.until(() => stuckAt(tapped.stderr)));
    expect(written).toBeLessThan(MAX_ON_THE_WAY_BYTES);
    let read = 0;
    tapped.child.stdout?.on('data', (chunk: Buffer) => (read += chunk.length));
    expect(await tapped.outcome()).toEqual({ code: 0, signal: null });
    expect(tapped.stderr).toContain(`done ${FLOOD_BYTES}`);
    expect(read).toBe(FLOOD_BYTES);
  });

  test('ends like its server, which was ended with output on the way', async () => {
    await using tapped = behaving('floods', `${FLOOD_BYTES}`);
    const pid = Number(await tapped.until(() => /stuck \d+ in (\d+)/.exec(tapped.stderr)?.[1]));
    process.kill(pid, 'SIGKILL');
    // Until the tap knows.
    await waitUntil(() => !exists(pid), { state: () => `process ${pid} has not been waited for` });
    tapped.reading();
    expect(await tapped.outcome()).toEqual({ code: null, signal: 'SIGKILL' });
  });

  test('holds up the client', async () => {
    const client = spawn(process.execPath, [fixture('behaving'), 'floods', `${FLOOD_BYTES}`]);
    try {
      const changes = new ChangeNotifier();
      let said = '';
      client.stderr.on('data', (chunk: Buffer) => {
        said += chunk.toString();
        changes.notify();
      });
      await using tapped = Tapped.running('behaving', ['waits'], { stdin: client.stdout });
      const stuck = await found(changes, () => stuckAt(said), { state: () => ({ said, stderr: tapped.stderr }) });
      expect(Number(stuck)).toBeLessThan(MAX_ON_THE_WAY_BYTES);
      const ready = await tapped.until(() => /ready (\d+)/.exec(tapped.stderr)?.[1]);
      process.kill(Number(ready), 'SIGUSR2');
      await tapped.outcome();
      expect(tapped.stderr).toContain(`read ${FLOOD_BYTES}`);
    } finally {
      client.kill('SIGKILL');
    }
  });
});
