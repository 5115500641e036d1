import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import type { StdioEndpoint } from './endpoint.js';

/** Calls after which claude-flow's ledger is deleted: it grows by 1.4 KB with each, and is read whole at each. */
const CALLS_PER_LEDGER = 20;

/**
 * A directory of ours in which claude-flow runs instead of the project that it is asked about. It appends to a ledger
 * below its working directory at every call, so in the project polling would change files and become slower and
 * slower; through `CLAUDE_FLOW_CWD` it reads the project's state from anywhere.
 */
export class ScratchDirectory implements AsyncDisposable {
  readonly #path: string;
  #inFlight = 0;
  #callsSinceDeletion = 0;
  #deletion: Promise<void> | null = null;

  private constructor(path: string) {
    this.#path = path;
  }

  static async create(): Promise<ScratchDirectory> {
    return new ScratchDirectory(await mkdtemp(join(tmpdir(), 'swarmlens-')));
  }

  /** How to start the server here so that it observes the endpoint's own working directory. */
  relocate(endpoint: StdioEndpoint): StdioEndpoint {
    const { command, args } = localProgram(endpoint);
    return {
      ...endpoint,
      command: fromHere(command, endpoint.cwd),
      args: args.map((arg) => fromHere(arg, endpoint.cwd)),
      cwd: this.#path,
      env: { CLAUDE_FLOW_CWD: endpoint.cwd, ...endpoint.env },
    };
  }

  /** Runs a call, and deletes the ledger about every twentieth time, only while no call is under way. */
  async during<T>(call: () => Promise<T>): Promise<T> {
    await this.#deletion;
    this.#inFlight += 1;
    try {
      return await call();
    } finally {
      this.#inFlight -= 1;
      this.#callsSinceDeletion += 1;
      if (this.#inFlight === 0 && this.#callsSinceDeletion >= CALLS_PER_LEDGER) {
        this.#callsSinceDeletion = 0;
        this.#deletion = rm(join(this.#path, '.claude-flow', 'policy', 'state.json'), { force: true }).finally(() => {
          this.#deletion = null;
        });
        await this.#deletion;
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#deletion;
    await rm(this.#path, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** `npx` looks for the project's own installation below the working directory, which is another one now. */
function localProgram(endpoint: StdioEndpoint): { command: string; args: readonly string[] } {
  const { command, args, cwd } = endpoint;
  if (basename(command).replace(/\.cmd$/, '') !== 'npx') return { command, args };
  const index = args.findIndex((arg) => !arg.startsWith('-'));
  const name = args[index];
  // `claude-flow@alpha` asks for a version that the project's installation need not be.
  if (name === undefined || /.@/.test(name)) return { command, args };
  for (let directory = cwd; ; directory = dirname(directory)) {
    const program = join(directory, 'node_modules', '.bin', name);
    if (existsSync(program)) return { command: program, args: args.slice(index + 1) };
    if (dirname(directory) === directory) return { command, args };
  }
}

/** Relative paths that were meant from the endpoint's working directory become absolute ones. */
function fromHere(word: string, cwd: string): string {
  if (isAbsolute(word) || word.startsWith('-') || !/[/\\]/.test(word)) return word;
  const path = resolve(cwd, word);
  return existsSync(path) ? path : word;
}
