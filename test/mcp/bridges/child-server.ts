import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';

/** Child process with the stdio server behind a bridge. */
export class ChildServer implements AsyncDisposable {
  readonly #process: ChildProcessWithoutNullStreams;

  /** @param args arguments of node: a script and its arguments */
  constructor(args: readonly string[], onOutput: (chunk: Buffer) => void) {
    this.#process = spawn(process.execPath, args, { stdio: 'pipe' });
    this.#process.stdout.on('data', onOutput);
    this.#process.stderr.resume();
    this.#process.stdin.on('error', () => undefined);
  }

  write(line: string): void {
    this.#process.stdin.write(`${line}\n`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const exit = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await exit;
  }
}
