import { type PoolOptions, type PoolWorker, ThreadsPoolWorker, type WorkerRequest } from 'vitest/node';

export const POOL_NAME = 'reused-thread';

/** Number of runs after which a new thread is started, so that no run slows down or disturbs many later ones. */
const MAX_RUNS = 50;

type Callback = Parameters<PoolWorker['on']>[1];

/** Thread that outlives the runs of vitest. */
interface KeptThread {
  readonly thread: ThreadsPoolWorker;
  runs: number;
}

let kept: KeptThread | null = null;

/**
 * Worker that runs the tests of one mutant after the other in the same thread. StrykerJS activates a mutant with a variable, so
 * the modules, whose loading takes most of the time of a run, need not be loaded again. Mutants that take effect while modules
 * load are an exception: each gets a thread of its own.
 */
export class ReusedThread implements PoolWorker {
  readonly name = POOL_NAME;
  readonly #options: PoolOptions;
  readonly #isReusable: boolean;
  readonly #callbacks: [event: string, callback: Callback][] = [];
  #current: KeptThread | null = null;

  constructor(options: PoolOptions) {
    this.#options = options;
    const context: object = options.project.getProvidedContext();
    this.#isReusable = 'mutantActivation' in context && context.mutantActivation === 'runtime';
  }

  async start(): Promise<void> {
    if (this.#isReusable && kept !== null) {
      this.#current = kept;
      kept = null;
      return;
    }
    this.#current = { thread: new ThreadsPoolWorker(this.#options), runs: 0 };
    await this.#current.thread.start();
  }

  async stop(): Promise<void> {
    const current = this.#current;
    if (current === null) return;
    this.#current = null;
    for (const [event, callback] of this.#callbacks) current.thread.off(event, callback);
    this.#callbacks.length = 0;
    current.runs += 1;
    if (this.#isReusable && kept === null && current.runs < MAX_RUNS) kept = current;
    else await current.thread.stop();
  }

  on(event: string, callback: Callback): void {
    this.#callbacks.push([event, callback]);
    this.#current?.thread.on(event, callback);
  }

  off(event: string, callback: Callback): void {
    this.#current?.thread.off(event, callback);
  }

  send(message: WorkerRequest): void {
    if (message.type !== 'stop' || !this.#isReusable) {
      this.#current?.thread.send(message);
      return;
    }
    // The thread goes on, but vitest waits for its confirmation.
    const stopped = { type: 'stopped', __vitest_worker_response__: true };
    for (const [event, callback] of [...this.#callbacks]) if (event === 'message') callback(stopped);
  }

  deserialize(data: unknown): unknown {
    return data;
  }
}
