import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { getDefaultEnvironment } from '@modelcontextprotocol/client/stdio';
import type { Clock } from '../../../shared/index.js';
import type { StdioEndpoint } from '../../endpoint.js';

/** After the end of its input, before SIGTERM. */
const END_OF_INPUT_MS = 1_000;
/** After SIGTERM, before SIGKILL. */
const TERMINATE_MS = 2_000;
/** After SIGKILL, which nobody survives: for the system to do it. */
const REAP_MS = 500;
/** Between two looks at whether what a child has started is gone. */
const LOOK_MS = 20;

/**
 * A child process and all that it starts. It leads a process group of its own: `npx` and shells put the server behind
 * one or two more processes, which would outlive a signal to the first.
 */
export class ChildProcessGroup {
  /** When our own process ends without having ended them, nobody else will: they are in other groups. */
  static readonly #living = new Set<ChildProcessGroup>();
  static readonly #killLiving = (): void => {
    for (const child of ChildProcessGroup.#living) child.#signal('SIGKILL');
  };
  readonly process: ChildProcessWithoutNullStreams;
  readonly pid: number;
  readonly #clock: Clock;
  #hasExited = false;
  #ending: Promise<void> | null = null;

  private constructor(process: ChildProcessWithoutNullStreams, pid: number, clock: Clock) {
    this.process = process;
    this.pid = pid;
    this.#clock = clock;
    process.once('exit', () => (this.#hasExited = true));
    // A signal that could not be sent: the process is gone already.
    process.on('error', () => undefined);
    if (ChildProcessGroup.#living.size === 0) globalThis.process.on('exit', ChildProcessGroup.#killLiving);
    ChildProcessGroup.#living.add(this);
  }

  /** @throws the system's error, such as ENOENT */
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

  /** @param callback gets how it ended, for a person; called at most once */
  onExit(callback: (how: string) => void): void {
    this.process.once('exit', (code, signal) =>
      callback(signal === null ? `exit code ${code ?? 'unknown'}` : `signal ${signal}`),
    );
  }

  /** Calls back once, when it has ended and all that it wrote has been read. */
  onDrained(callback: () => void): void {
    this.process.once('close', callback);
  }

  /** Ends its input, then terminates it and what it has started, then kills them; resolves when it is gone. */
  end(): Promise<void> {
    this.#ending ??= this.#end();
    return this.#ending;
  }

  async #end(): Promise<void> {
    // Timers of the clock do not hold our process, and it must not end before this has.
    const hold = setInterval(() => undefined, TERMINATE_MS);
    try {
      this.process.stdin.end();
      if (!(await this.#isGoneWithin(END_OF_INPUT_MS))) this.#signal('SIGTERM');
      if (!(await this.#isGoneWithin(TERMINATE_MS))) this.#signal('SIGKILL');
      if (!this.#hasExited) await once(this.process, 'exit');
      await this.#isGoneWithin(REAP_MS);
    } finally {
      clearInterval(hold);
    }
    this.#forget();
    // Who has left the group may hold them open.
    for (const stream of [this.process.stdin, this.process.stdout, this.process.stderr]) stream.destroy();
  }

  #forget(): void {
    ChildProcessGroup.#living.delete(this);
    if (ChildProcessGroup.#living.size === 0) process.off('exit', ChildProcessGroup.#killLiving);
  }

  async #isGoneWithin(ms: number): Promise<boolean> {
    const untilMs = this.#clock.monotonic() + ms;
    for (;;) {
      if (this.#hasExited && !this.#signal(0)) return true;
      if (this.#clock.monotonic() >= untilMs) return false;
      await this.#exitOrPause();
    }
  }

  #exitOrPause(): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        timer[Symbol.dispose]();
        this.process.off('exit', done);
        resolve();
      };
      const timer = this.#clock.schedule(LOOK_MS, done);
      this.process.once('exit', done);
    });
  }

  /** @returns whether anyone was there to get it */
  #signal(signal: NodeJS.Signals | 0): boolean {
    try {
      if (process.platform === 'win32') return this.process.kill(signal);
      return process.kill(-this.pid, signal);
    } catch {
      return false;
    }
  }
}
