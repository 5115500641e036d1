import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { TemporaryDirectory } from '../../support/temporary-directory.js';

/** Temporary directory with a home, a configuration and a project for one coding agent. */
export class Workplace implements AsyncDisposable {
  readonly directory: TemporaryDirectory;

  private constructor(directory: TemporaryDirectory) {
    this.directory = directory;
  }

  static async create(): Promise<Workplace> {
    const place = new Workplace(await TemporaryDirectory.create());
    for (const path of [place.root, place.project, place.#temporary]) await mkdir(path, { recursive: true });
    return place;
  }

  get home(): string {
    return this.directory.path('home');
  }

  /** Directory in which the coding agent keeps its files. */
  get root(): string {
    return this.directory.path('home/root');
  }

  get #temporary(): string {
    return this.directory.path('tmp');
  }

  /** Directory in which the coding agent works. */
  get project(): string {
    return this.directory.path('shop');
  }

  /** Environment without anything of the surrounding one but the path. */
  get env(): Record<string, string> {
    const path = process.env['PATH'] ?? '';
    return { PATH: path, HOME: this.home, TMPDIR: this.#temporary, SHELL: '/bin/bash', TERM: 'dumb' };
  }

  /** Returns a shell command that runs until `open` is called with the name. */
  gate(name: string): string {
    const { root } = this.directory;
    // Ends also with the directory, when a test has failed.
    return `while [ -d ${root} ] && [ ! -e ${root}/${name} ]; do sleep 0.05; done`;
  }

  async open(name: string): Promise<void> {
    await writeFile(this.directory.path(name), '');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.directory[Symbol.asyncDispose]();
  }
}

/** Process of a coding agent without a terminal. */
export class AgentProcess implements AsyncDisposable {
  output = '';
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;

  constructor(command: string, args: readonly string[], cwd: string, env: Readonly<Record<string, string>>) {
    const child = spawn(command, args, { cwd, env: { ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
    }
    this.#child = child;
    this.#ended = once(child, 'close');
  }

  /** Resolves with the exit code. */
  async ended(): Promise<number | null> {
    await this.#ended;
    return this.#child.exitCode;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }
}
