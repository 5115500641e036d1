import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { getDefaultEnvironment } from '@modelcontextprotocol/client/stdio';
import type { Clock } from '../../../shared/index.js';
import type { StdioEndpoint } from '../../endpoint.js';

/** Delay between the end of the standard input and SIGTERM. */
const STDIN_GRACE_MS = 1_000;
/** Delay between SIGTERM and SIGKILL. */
const SIGTERM_GRACE_MS = 2_000;
/** Longest wait for the system to end the processes after SIGKILL. */
const SIGKILL_GRACE_MS = 500;
/** Interval between checks whether the whole group has ended. */
const CHECK_INTERVAL_MS = 20;

/**
 * Child process with every process it starts, as one process group. `npx` and shells put the server behind one or two
 * more processes, which would survive a signal to the first one.
 */
export class ChildProcessGroup {
  /** Groups to kill when this process exits. They would keep running, because they do not belong to its group. */
  static readonly #running = new Set<ChildProcessGroup>();
  static readonly #killRunning = (): void => {
    for (const child of ChildProcessGroup.#running) child.#signal('SIGKILL');
  };
  readonly process: ChildProcessWithoutNullStreams;
  readonly pid: number;
  readonly #clock: Clock;
  #hasExited = false;
  #pendingEnd: Promise<void> | null = null;

  private constructor(process: ChildProcessWithoutNullStreams, pid: number, clock: Clock) {
    this.process = process;
    this.pid = pid;
    this.#clock = clock;
    process.once('exit', () => (this.#hasExited = true));
    // Emitted when a signal cannot be sent because the process has already ended.
    process.on('error', () => undefined);
    if (ChildProcessGroup.#running.size === 0) globalThis.process.on('exit', ChildProcessGroup.#killRunning);
    ChildProcessGroup.#running.add(this);
  }

  /**
   * Starts the command of an endpoint.
   * @throws the system error, such as ENOENT
   */
  static async start({ command, args, cwd, env }: StdioEndpoint, clock: Clock): Promise<ChildProcessGroup> {
    const child = spawn(command, args, {
      cwd,
      env: { ...getDefaultEnvironment(), ...env },
      stdio: 'pipe',
      detached: process.platform !== 'win32',
      windowsHide: true,
    });
    await once(child, 'spawn');
    if (child.pid === undefined) throw new Error('the process has no id');
    return new ChildProcessGroup(child, child.pid, clock);
  }

  /** Calls back at most once, with the exit code or signal as text. */
  onExit(callback: (description: string) => void): void {
    this.process.once('exit', (code, signal) =>
      callback(signal === null ? `exit code ${code ?? 'unknown'}` : `signal ${signal}`),
    );
  }

  /** Calls back once, when the process has ended and its whole output has been read. */
  onDrained(callback: () => void): void {
    this.process.once('close', callback);
  }

  /** Closes the standard input, then sends SIGTERM, then SIGKILL. Resolves when the group has ended. */
  end(): Promise<void> {
    this.#pendingEnd ??= this.#end();
    return this.#pendingEnd;
  }

  async #end(): Promise<void> {
    // Timers of the clock do not keep this process alive, and it must not exit before the group has ended.
    const keepAlive = setInterval(() => undefined, SIGTERM_GRACE_MS);
    try {
      this.process.stdin.end();
      if (!(await this.#isGoneWithin(STDIN_GRACE_MS))) this.#signal('SIGTERM');
      if (!(await this.#isGoneWithin(SIGTERM_GRACE_MS))) this.#signal('SIGKILL');
      if (!this.#hasExited) await once(this.process, 'exit');
      await this.#isGoneWithin(SIGKILL_GRACE_MS);
    } finally {
      clearInterval(keepAlive);
    }
    this.#unregister();
    // Processes that have left the group may hold the streams open.
    for (const stream of [this.process.stdin, this.process.stdout, this.process.stderr]) stream.destroy();
  }

  #unregister(): void {
    ChildProcessGroup.#running.delete(this);
    if (ChildProcessGroup.#running.size === 0) process.off('exit', ChildProcessGroup.#killRunning);
  }

  async #isGoneWithin(ms: number): Promise<boolean> {
    const deadlineMs = this.#clock.monotonic() + ms;
    for (;;) {
      if (this.#hasExited && !this.#signal(0)) return true;
      if (this.#clock.monotonic() >= deadlineMs) return false;
      await this.#waitForExit();
    }
  }

  #waitForExit(): Promise<void> {
    return new Promise((resolve) => {
      const finish = (): void => {
        timer[Symbol.dispose]();
        this.process.off('exit', finish);
        resolve();
      };
      const timer = this.#clock.schedule(CHECK_INTERVAL_MS, finish);
      this.process.once('exit', finish);
    });
  }

  /** Sends a signal to the group. Returns false if no process of the group is left. */
  #signal(signal: NodeJS.Signals | 0): boolean {
    try {
      if (process.platform === 'win32') return this.process.kill(signal);
      return process.kill(-this.pid, signal);
    } catch {
      return false;
    }
  }
}
