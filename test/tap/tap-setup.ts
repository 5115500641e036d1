import { type ChildProcess, spawn, type StdioOptions } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { PROGRAM } from '../support/app.js';
import { TAP_KEY_FILE } from '../support/tap-key-file.js';
import { ChangeNotifier, type WaitOptions } from '../support/wait.js';
import { found } from './found.js';

/** URL without a listener: tests lack the privileges to listen on the discard port. */
const NOWHERE = 'ws://127.0.0.1:9';

export function fixture(name: string): string {
  return fileURLToPath(new URL(`servers/${name}.js`, import.meta.url));
}

export interface TappedOptions {
  readonly url?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  readonly flags?: readonly string[];
  readonly stdin?: 'pipe' | ChildProcess['stdout'];
}

/** Process of the built tap in front of a server, as its MCP client sees it. */
export class Tapped implements AsyncDisposable {
  readonly child: ChildProcess;
  readonly #ended: Promise<unknown>;
  readonly #hash = createHash('sha256');
  readonly #changes = new ChangeNotifier();
  stdout = '';
  stderr = '';
  hasEnded = false;

  constructor(command: readonly string[], options: TappedOptions = {}) {
    const { url = NOWHERE, env = {}, cwd = process.cwd(), flags = [], stdin = 'pipe' } = options;
    const stdio: StdioOptions = [stdin, 'pipe', 'pipe'];
    this.child = spawn(
      process.execPath,
      [PROGRAM, 'tap', '--server', 'mine', '--url', url, ...flags, '--', ...command],
      {
        cwd,
        env: { PATH: process.env['PATH'], SWARMLENS_TAP_KEY_FILE: TAP_KEY_FILE, ...env },
        stdio,
      },
    );
    this.child.stderr?.on('data', (chunk: Buffer) => {
      this.stderr += chunk.toString();
      this.#changes.notify();
    });
    // A write fails when the tap no longer reads.
    this.child.stdin?.on('error', () => undefined).on('drain', () => this.#changes.notify());
    this.#ended = once(this.child, 'close').then(() => {
      this.hasEnded = true;
      this.#changes.notify();
    });
  }

  /** Starts a tap in front of a fixture server. */
  static running(name: string, args: readonly string[], options: TappedOptions = {}): Tapped {
    return new Tapped([process.execPath, fixture(name), ...args], options);
  }

  /** Reads standard output from now on. */
  reading(): this {
    this.child.stdout?.on('data', (chunk: Buffer) => {
      this.#hash.update(chunk);
      this.stdout += chunk.toString('latin1');
      this.#changes.notify();
    });
    return this;
  }

  /** Returns the digest of the standard output read so far. */
  digest(): string {
    return this.#hash.copy().digest('hex');
  }

  /** Resolves with the first result of `find` that is not empty. */
  async until<T>(find: () => T | null | undefined | false): Promise<T> {
    return await found(this.#changes, find, this.#wait());
  }

  /** Writes to the tap and waits while its input is full. */
  async write(bytes: Buffer | string): Promise<void> {
    const { stdin } = this.child;
    if (stdin?.write(bytes) === false) {
      await this.#changes.until(() => !stdin.writableNeedDrain, this.#wait());
    }
  }

  async outcome(): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
    await this.#ended;
    return { code: this.child.exitCode, signal: this.child.signalCode };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.hasEnded) return;
    this.child.kill('SIGKILL');
    this.child.stdin?.destroy();
    this.child.stdout?.destroy();
    this.child.stderr?.destroy();
    await this.#ended;
  }

  #wait(): WaitOptions {
    return {
      state: () => ({ stdout: this.stdout.slice(-500), stderr: this.stderr.slice(-500) }),
      failure: () => (this.hasEnded ? `the tap has ended with ${this.child.exitCode ?? this.child.signalCode}` : null),
    };
  }
}
