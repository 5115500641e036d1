import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectDirectory, type StdioEndpoint } from '../../endpoint.js';
import { relocateEndpoint } from './relocate-endpoint.js';

/** Number of answered calls after which claude-flow's call log is deleted. Each call reads all of it and adds 1.4 KB. */
const CALLS_PER_DELETION = 20;

/**
 * Temporary working directory for claude-flow. claude-flow appends every call to a log below its working directory, so in
 * the project polling would change files and become slower and slower. `CLAUDE_FLOW_CWD` lets it read the state of the
 * project from another directory.
 */
export class ScratchDirectory implements AsyncDisposable {
  readonly #path: string;
  #inFlight = 0;
  #answeredCalls = 0;
  #deletion: Promise<void> | null = null;

  private constructor(path: string) {
    this.#path = path;
  }

  static async create(): Promise<ScratchDirectory> {
    return new ScratchDirectory(await mkdtemp(join(tmpdir(), 'swarmlens-')));
  }

  /** Rewrites an endpoint to run in this directory and to observe its original working directory. */
  relocate(endpoint: StdioEndpoint): StdioEndpoint {
    const relocated = relocateEndpoint(endpoint, this.#path);
    return { ...relocated, env: { ...relocated.env, CLAUDE_FLOW_CWD: projectDirectory(endpoint) } };
  }

  /** Runs a call. Deletes the call log from time to time, while no call is in flight. */
  async run<T>(call: () => Promise<T>): Promise<T> {
    while (this.#deletion !== null) await this.#deletion;
    this.#inFlight += 1;
    let answer: T;
    try {
      answer = await call();
    } finally {
      this.#inFlight -= 1;
    }
    // Counts answered calls only, because the server may still work on a call that was aborted.
    this.#answeredCalls += 1;
    if (this.#inFlight === 0 && this.#answeredCalls >= CALLS_PER_DELETION) this.#deleteCallLog();
    return answer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#deletion;
    await rm(this.#path, { recursive: true, force: true, maxRetries: 3 });
  }

  #deleteCallLog(): void {
    this.#answeredCalls = 0;
    // If the deletion fails, calls are slower until the next one.
    this.#deletion = rm(join(this.#path, '.claude-flow', 'policy', 'state.json'), { force: true })
      .catch(() => undefined)
      .finally(() => (this.#deletion = null));
  }
}
