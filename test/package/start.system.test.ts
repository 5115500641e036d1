import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { waitUntil } from '../support/wait.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Returns the ids of a process and of all processes that it has started, directly or not. */
function listProcesses(pid: number): readonly number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return [pid, ...children.split(' ').flatMap((child) => (child === '' ? [] : listProcesses(Number(child))))];
}

/** Whether a process runs. A zombie, which waits for its parent to read its exit code, does not. */
function isRunning(pid: number): boolean {
  const path = `/proc/${pid}/stat`;
  return existsSync(path) && !/^\d+ \(.*\) Z/s.test(readFileSync(path, 'utf8'));
}

/** `npm start` with the demo servers on a free port. */
class NpmStart implements AsyncDisposable {
  readonly npm: ChildProcess;
  stdout = '';
  stderr = '';
  readonly #closed: Promise<unknown>;
  #pids: readonly number[] = [];

  constructor() {
    // Stands for a supervisor: the group of this process receives no signal.
    this.npm = spawn('npm', ['start', '--', '--port', '0', '--demo'], { cwd: ROOT, detached: true });
    this.#closed = once(this.npm, 'exit');
    this.npm.stdout?.on('data', (chunk: Buffer) => (this.stdout += chunk.toString()));
    this.npm.stderr?.on('data', (chunk: Buffer) => (this.stderr += chunk.toString()));
  }

  /** Resolves with the address of the server when both ready lines are printed. */
  async untilReady(): Promise<string> {
    const pattern = /^swarmlens is ready at (\S+)\/graphql\nOpen (\S+) in a browser/m;
    await waitUntil(() => pattern.test(this.stdout) || this.npm.exitCode !== null, {
      state: () => `${this.stdout}${this.stderr}`,
    });
    const [, url = '', page] = pattern.exec(this.stdout) ?? [];
    expect(page).toBe(`${url}/`);
    this.#pids = listProcesses(this.npm.pid ?? -1);
    return url;
  }

  get processCount(): number {
    return this.#pids.length;
  }

  /** Resolves when neither npm nor a process below it runs. */
  async untilGone(): Promise<void> {
    await waitUntil(() => !this.#pids.some(isRunning), {
      state: () => ({ running: this.#pids.filter(isRunning), all: this.#pids, output: this.stdout + this.stderr }),
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const pid of [this.npm.pid ?? -1, ...this.#pids].filter((id) => id > 1 && isRunning(id))) {
      process.kill(pid, 'SIGKILL');
    }
    await this.#closed;
  }
}

describe.skipIf(!existsSync('/proc/self/task'))('npm start', () => {
  test('prints the ready lines without a build when nothing has changed', async () => {
    await using start = new NpmStart();
    const url = await start.untilReady();
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    expect((await fetch(url)).headers.get('content-type')).toContain('text/html');
    expect(start.stderr).toContain('Starting swarmlens');
    expect(start.stderr).not.toContain('Building');
  });

  test.each(['SIGTERM', 'SIGINT', 'SIGKILL'] as const)(
    'leaves neither the server nor its simulators behind when npm receives %s',
    async (signal) => {
      await using start = new NpmStart();
      await start.untilReady();
      // npm, the server and three simulators; a shell is between npm and the server on some systems.
      expect(start.processCount).toBeGreaterThanOrEqual(5);
      start.npm.kill(signal);
      await start.untilGone();
    },
  );
});

describe('scripts/build.js', () => {
  test('rejects unknown arguments', async () => {
    const build = spawn(process.execPath, ['scripts/build.js', '--all'], { cwd: ROOT, stdio: 'ignore' });
    const [code] = (await once(build, 'close')) as [number | null]; // as documented
    expect(code).toBe(2);
  });
});
