import { type ChildProcess, spawn, type StdioOptions } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { PROGRAM } from '../support/app.js';

/** Where nobody listens: the discard port, which needs rights that tests do not have. */
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

/** The built tap in front of a server, seen as a person's MCP client sees it. */
export class Tapped implements AsyncDisposable {
  readonly child: ChildProcess;
  readonly #ended: Promise<unknown>;
  readonly #hash = createHash('sha256');
  readonly #waiters = new Set<() => void>();
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
        env: { PATH: process.env['PATH'], ...env },
        stdio,
      },
    );
    this.child.stderr?.on('data', (chunk: Buffer) => {
      this.stderr += chunk.toString();
      this.#look();
    });
    // A write to one that reads no more.
    this.child.stdin?.on('error', () => undefined);
    this.#ended = once(this.child, 'close').then(() => (this.hasEnded = true));
  }

  /** One of the fixtures. */
  static running(name: string, args: readonly string[], options: TappedOptions = {}): Tapped {
    return new Tapped([process.execPath, fixture(name), ...args], options);
  }

  /** Reads standard output from now on. */
  reading(): this {
    this.child.stdout?.on('data', (chunk: Buffer) => {
      this.#hash.update(chunk);
      this.stdout += chunk.toString('latin1');
      this.#look();
    });
    return this;
  }

  /** Of all that was read. */
  digest(): string {
    return this.#hash.copy().digest('hex');
  }

  /** Resolves when a look at it finds something. */
  until<T>(find: () => T | null | undefined | false): Promise<T> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const found = find();
        if (found === null || found === undefined || found === false) return;
        this.#waiters.delete(look);
        resolve(found);
      };
      this.#waiters.add(look);
      this.#ended.then(() => reject(new Error(`ended: ${this.stdout.slice(-500)} ${this.stderr}`)), reject);
      look();
    });
  }

  /** Writes as fast as it is taken. */
  async write(bytes: Buffer | string): Promise<void> {
    const { stdin } = this.child;
    if (stdin?.write(bytes) === false) await once(stdin, 'drain');
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

  #look(): void {
    for (const look of [...this.#waiters]) look();
  }
}
