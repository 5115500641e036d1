import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { PROGRAM } from './app.js';

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ProgramOptions {
  readonly cwd: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly program?: string;
}

/** The built program as a child process. */
export class Program implements AsyncDisposable {
  readonly #child;
  readonly #ended: Promise<unknown>;
  stdout = '';
  stderr = '';
  readonly #waiters = new Set<() => void>();

  /** @param options `program`: another place where it is built */
  constructor(args: readonly string[], { cwd, env = {}, program = PROGRAM }: ProgramOptions) {
    this.#child = spawn(process.execPath, [program, ...args], {
      cwd,
      env: { PATH: process.env['PATH'], ...env },
    });
    this.#child.stdout.on('data', (chunk: Buffer) => {
      this.stdout += chunk.toString();
      for (const look of [...this.#waiters]) look();
    });
    this.#child.stderr.on('data', (chunk: Buffer) => {
      this.stderr += chunk.toString();
      for (const look of [...this.#waiters]) look();
    });
    this.#ended = once(this.#child, 'close');
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  printed(pattern: RegExp): Promise<RegExpExecArray> {
    return this.#found(pattern, () => this.stdout);
  }

  /** The same of standard error. */
  wrote(pattern: RegExp): Promise<RegExpExecArray> {
    return this.#found(pattern, () => this.stderr);
  }

  #found(pattern: RegExp, text: () => string): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const match = pattern.exec(text());
        if (match === null) return;
        this.#waiters.delete(look);
        resolve(match);
      };
      this.#waiters.add(look);
      this.#ended.then(() => reject(new Error(`ended: ${this.stdout}${this.stderr}`)), reject);
      look();
    });
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async outcome(): Promise<Outcome> {
    await this.#ended;
    return { code: this.#child.exitCode, stdout: this.stdout, stderr: this.stderr };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }
}
