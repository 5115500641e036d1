import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { StdioEndpoint } from '../../endpoint.js';
import { relocateEndpoint } from './relocate-endpoint.js';

/** Answered calls after which claude-flow's ledger is deleted: each adds 1.4 KB, and each reads it whole. */
const CALLS_PER_LEDGER = 20;

/**
 * A directory of ours in which claude-flow runs instead of in the project that it is asked about. It appends to a ledger
 * below its working directory at every call, so in the project polling would change files and become slower and slower;
 * by `CLAUDE_FLOW_CWD` it reads the project's state from anywhere.
 */
export class ScratchDirectory implements AsyncDisposable {
  readonly #path: string;
  #inFlight = 0;
  #answered = 0;
  #deletion: Promise<void> | null = null;

  private constructor(path: string) {
    this.#path = path;
  }

  static async create(): Promise<ScratchDirectory> {
    return new ScratchDirectory(await mkdtemp(join(tmpdir(), 'swarmlens-')));
  }

  /** How to start the server here so that it observes the endpoint's own working directory. */
  relocate(endpoint: StdioEndpoint): StdioEndpoint {
    const moved = relocateEndpoint(endpoint, this.#path);
    const observed = resolve(endpoint.cwd, endpoint.env['CLAUDE_FLOW_CWD'] ?? '.');
    return { ...moved, env: { ...moved.env, CLAUDE_FLOW_CWD: observed } };
  }

  /** Runs a call, and now and then deletes the ledger after one that was answered, while none is under way. */
  async run<T>(call: () => Promise<T>): Promise<T> {
    while (this.#deletion !== null) await this.#deletion;
    this.#inFlight += 1;
    let answer: T;
    try {
      answer = await call();
    } finally {
      this.#inFlight -= 1;
    }
    // A call that was given up may still be under way over there.
    this.#answered += 1;
    if (this.#inFlight === 0 && this.#answered >= CALLS_PER_LEDGER) this.#deleteLedger();
    return answer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#deletion;
    await rm(this.#path, { recursive: true, force: true, maxRetries: 3 });
  }

  #deleteLedger(): void {
    this.#answered = 0;
    // One that stays only makes calls slower, until the next time.
    this.#deletion = rm(join(this.#path, '.claude-flow', 'policy', 'state.json'), { force: true })
      .catch(() => undefined)
      .finally(() => (this.#deletion = null));
  }
}
