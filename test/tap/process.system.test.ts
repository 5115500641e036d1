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
import { fixture, Tapped } from './tap-setup.js';

const behaving = (behavior: string, ...args: string[]): Tapped => Tapped.running('behaving', [behavior, ...args]);

/** File without the permission to execute it. */
const NO_PROGRAM = fixture('behaving');

describe('swarmlens tap', () => {
  test('forwards every byte in both directions', async () => {
    const random = randomFrom(7);
    await using tapped = behaving('echo').reading();
    const sent = createHash('sha256');
    for (let round = 0; round < 200; round += 1) {
      const bytes = randomBytes(random, Math.floor(random() * (round % 20 === 0 ? 200_000 : 500)));
      sent.update(bytes);
      await tapped.write(bytes);
    }
    tapped.child.stdin?.end();
    expect(await tapped.outcome()).toEqual({ code: 0, signal: null });
    expect(tapped.digest()).toBe(sent.update('goodbye').digest('hex'));
    expect(tapped.stderr).toBe('');
  });

  test('starts the server with its own directory and environment and the given arguments', async () => {
    const cwd = realpathSync(tmpdir());
    const env = { ANYTHING: 'ä b', SWARMLENS_TOKEN: 'secret' };
    const args = ['environment', '--help', '--', '--server', 'x y'];
    await using tapped = Tapped.running('behaving', args, { cwd, env }).reading();
    expect(await tapped.outcome()).toEqual({ code: 0, signal: null });
    const started = JSON.parse(Buffer.from(tapped.stdout, 'latin1').toString()) as Record<string, unknown>; // see the fixture
    expect(started).toMatchObject({ cwd, env, args: args.slice(1) });
    expect(tapped.stderr).toBe('');
  });

  test('forwards the end of the input and the output that follows', async () => {
    await using tapped = behaving('echo', '5').reading();
    tapped.child.stdin?.end('all');
    expect(await tapped.outcome()).toEqual({ code: 5, signal: null });
    expect(tapped.stdout).toBe('allgoodbye');
  });

  test('forwards the end of the output of a server that keeps running', async () => {
    await using tapped = behaving('closesOutput').reading();
    if (tapped.child.stdout !== null) await once(tapped.child.stdout, 'end');
    expect(tapped.stdout).toBe('last');
    await tapped.write('more');
    await tapped.until(() => tapped.stderr.includes('got more'));
    tapped.child.stdin?.end();
    expect(await tapped.outcome()).toEqual({ code: 6, signal: null });
  });

  test('forwards the end of the output through a shell pipe', async () => {
    const line = [process.execPath, PROGRAM, 'tap', '--server', 'x', '--', process.execPath, fixture('behaving')];
    const script = '"$@" | (cat >&2; echo " and the end" >&2)';
    const shell = spawn('sh', ['-c', script, 'sh', ...line, 'closesOutput'], { stdio: ['pipe', 'ignore', 'pipe'] });
    const changes = new ChangeNotifier();
    let output = '';
    shell.stderr.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      changes.notify();
    });
    const state = (): string => output;
    // The server is still running, because it exits only at the end of its input.
    await changes.until(() => output.includes('and the end'), { state });
    shell.stdin.end('more');
    await changes.until(() => output.includes('got more'), { state });
    expect(output).toBe('last and the end\ngot more\n');
  });

  test("closes the client's pipe when the server closes its input", async () => {
    await using tapped = behaving('closesInput').reading();
    const pid = await tapped.until(() => /closed (\d+)\n/.exec(tapped.stdout)?.[1]);
    const { stdin } = tapped.child;
    const failed = new Promise<unknown>((resolve) => stdin?.once('error', resolve));
    // The first writes still fit into the pipe.
    const isRefused = (): boolean => {
      if (stdin?.writable === true) stdin.write('x');
      return stdin?.writable !== true;
    };
    await waitUntil(isRefused, { state: () => ({ stderr: tapped.stderr }) });
    expect(await failed).toMatchObject({ code: expect.stringMatching(/EPIPE|ECONNRESET/) });
    process.kill(Number(pid));
    expect(await tapped.outcome()).toEqual({ code: null, signal: 'SIGTERM' });
  });

  test("closes the server's pipe when the client closes its input", async () => {
    await using tapped = behaving('writes');
    tapped.child.stdout?.destroy();
    expect(await tapped.outcome()).toEqual({ code: 8, signal: null });
    expect(tapped.stderr).toMatch(/EPIPE|ECONNRESET/);
  });

  test.each([0, 1, 3, 255])('exits with the exit code %i of the server', async (code) => {
    await using tapped = behaving('exit', `${code}`);
    expect(await tapped.outcome()).toEqual({ code, signal: null });
  });

  test.each<NodeJS.Signals>(['SIGTERM', 'SIGKILL', 'SIGINT'])(
    'ends with the signal %s that ended the server',
    async (signal) => {
      await using tapped = behaving('kill', signal);
      expect(await tapped.outcome()).toEqual({ code: null, signal });
    },
  );

  test('forwards every signal and ends with the signal that ends the server', async () => {
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

  test('exits with its server when another process holds the output open', async () => {
    await using tapped = behaving('leaves').reading();
    const pid = await tapped.until(() => /other (\d+)/.exec(tapped.stderr)?.[1]);
    try {
      // Waits for the exit only, because the other process keeps the output open.
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
  ])('exits with the code of a shell and names the command when it cannot start %j', async (command, code, message) => {
    await using tapped = new Tapped(command).reading();
    expect(await tapped.outcome()).toEqual({ code, signal: null });
    expect(tapped).toMatchObject({ stdout: '', stderr: message });
  });
});

/** Number of bytes that exceeds the capacity of all buffers between client and server. */
const FLOOD_BYTES = 64 * 1024 * 1024;
/** Upper bound for the capacity of all buffers: pipes, sockets and streams. */
const MAX_BUFFERED_BYTES = 4 * 1024 * 1024;

/** Whether the process exists. A process that ended exists until its parent has collected its exit status. */
function exists(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

const stuckAt = (text: string): string | undefined => /stuck (\d+)/.exec(text)?.[1];

describe('swarmlens tap with a slow reader', () => {
  test('applies backpressure to the server', async () => {
    await using tapped = behaving('floods', `${FLOOD_BYTES}`);
    const written = Number(await tapped.until(() => stuckAt(tapped.stderr)));
    expect(written).toBeLessThan(MAX_BUFFERED_BYTES);
    let read = 0;
    tapped.child.stdout?.on('data', (chunk: Buffer) => (read += chunk.length));
    expect(await tapped.outcome()).toEqual({ code: 0, signal: null });
    expect(tapped.stderr).toContain(`done ${FLOOD_BYTES}`);
    expect(read).toBe(FLOOD_BYTES);
  });

  test('ends with the signal of its server when output is still buffered', async () => {
    await using tapped = behaving('floods', `${FLOOD_BYTES}`);
    const pid = Number(await tapped.until(() => /stuck \d+ in (\d+)/.exec(tapped.stderr)?.[1]));
    process.kill(pid, 'SIGKILL');
    // The tap has collected the exit status when the process no longer exists.
    await waitUntil(() => !exists(pid), { state: () => `process ${pid} has not been waited for` });
    tapped.reading();
    expect(await tapped.outcome()).toEqual({ code: null, signal: 'SIGKILL' });
  });

  test('applies backpressure to the client', async () => {
    const client = spawn(process.execPath, [fixture('behaving'), 'floods', `${FLOOD_BYTES}`]);
    try {
      const changes = new ChangeNotifier();
      let output = '';
      client.stderr.on('data', (chunk: Buffer) => {
        output += chunk.toString();
        changes.notify();
      });
      await using tapped = Tapped.running('behaving', ['waits'], { stdin: client.stdout });
      const stuck = await found(changes, () => stuckAt(output), { state: () => ({ output, stderr: tapped.stderr }) });
      expect(Number(stuck)).toBeLessThan(MAX_BUFFERED_BYTES);
      const ready = await tapped.until(() => /ready (\d+)/.exec(tapped.stderr)?.[1]);
      process.kill(Number(ready), 'SIGUSR2');
      await tapped.outcome();
      expect(tapped.stderr).toContain(`read ${FLOOD_BYTES}`);
    } finally {
      client.kill('SIGKILL');
    }
  });
});
