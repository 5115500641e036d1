import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { PROGRAM } from './app.js';
import { ChangeNotifier } from './wait.js';

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

/** Child process that runs the built program. */
export class Program implements AsyncDisposable {
  readonly #child;
  readonly #ended: Promise<unknown>;
  stdout = '';
  stderr = '';
  readonly #changes = new ChangeNotifier();
  #end: string | null = null;

  /** @param options `program` is the path of another build */
  constructor(args: readonly string[], { cwd, env = {}, program = PROGRAM }: ProgramOptions) {
    this.#child = spawn(process.execPath, [program, ...args], {
      cwd,
      env: { PATH: process.env['PATH'], ...env },
    });
    this.#child.stdout.on('data', (chunk: Buffer) => {
      this.stdout += chunk.toString();
      this.#changes.notify();
    });
    this.#child.stderr.on('data', (chunk: Buffer) => {
      this.stderr += chunk.toString();
      this.#changes.notify();
    });
    this.#ended = once(this.#child, 'close');
    this.#child.on('close', (code, signal) => {
      this.#end = `program ended with ${code ?? signal}`;
      this.#changes.notify();
    });
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  /** Resolves with the match when standard output matches. */
  printed(pattern: RegExp): Promise<RegExpExecArray> {
    return this.#found(pattern, () => this.stdout);
  }

  /** Resolves with the match when standard error matches. */
  wrote(pattern: RegExp): Promise<RegExpExecArray> {
    return this.#found(pattern, () => this.stderr);
  }

  async #found(pattern: RegExp, text: () => string): Promise<RegExpExecArray> {
    const match = (): RegExpExecArray | null => pattern.exec(text());
    await this.#changes.until(() => match() !== null, {
      state: () => ({ pattern, stdout: this.stdout.slice(-400), stderr: this.stderr.slice(-400) }),
      failure: () => this.#end,
    });
    const found = match();
    if (found === null) throw new Error(`${pattern.source} matched before`);
    return found;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Stops the program and the servers that it has started. Disposal kills only the program. */
  async stop(): Promise<void> {
    this.kill('SIGTERM');
    await this.#ended;
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
