import type { Worker } from 'node:cluster';
import { type Clock, backoffDelayMs, sleep, type Logger } from '../../shared/index.js';
import { mergeMetrics } from './merge-metrics.js';
import { type ExitStatus, type ListenAddress, WorkerProcess } from './worker-process.js';

export interface WorkerPoolOptions {
  /** Number of workers, at least 1. */
  readonly count: number;
  /** Starts a worker. @param number number of the worker, from 1 to `count` */
  readonly fork: (number: number) => Worker;
  /** Time in milliseconds in which a worker shuts down. Its child processes get `CHILD_GRACE_MS` more. */
  readonly shutdownMs: number;
  readonly clock: Clock;
  /** Returns a random number from 0 to below 1. */
  readonly random: () => number;
  readonly logger: Logger;
}

/** Backoff before a failed worker is restarted. */
const RESTART_BACKOFF = { initialMs: 500, maxMs: 30_000 };
/** Number of consecutive failures after which a worker is not restarted. */
const MAX_FAILURES = 10;
/** Time in milliseconds after which a worker that accepts connections counts as stable. */
const STABLE_AFTER_MS = 60_000;
/** Additional time in milliseconds for child processes of a worker that do not react to the first signal. */
const CHILD_GRACE_MS = 5_000;

/** Error of a first worker that exited before it accepted connections. Its output contains the reason. */
export class WorkerStartError extends Error {
  override readonly name = 'WorkerStartError';
  /** Exit code for the primary: the code of the worker, or 1. */
  readonly code: number;

  constructor({ code, description }: ExitStatus) {
    super(`the first worker could not be started: ${description}`);
    this.code = code === null || code === 0 ? 1 : code;
  }
}

/**
 * Keeps N workers running. A worker that exits unexpectedly is restarted with backoff, until it has failed too often in a
 * row.
 */
export class WorkerPool implements AsyncDisposable {
  readonly #options: WorkerPoolOptions;
  readonly #abort = new AbortController();
  /** Running workers by number. */
  readonly #processes = new Map<number, WorkerProcess>();
  readonly #loops: Promise<void>[] = [];
  #stopped: Promise<boolean> | null = null;
  /** Whether all workers exited with code 0 during the shutdown. */
  #stoppedCleanly = true;
  /** Timer that keeps the process alive between two workers, because timers of the clock do not. */
  readonly #keepAlive = setInterval(() => undefined, RESTART_BACKOFF.maxMs);

  private constructor(options: WorkerPoolOptions) {
    this.#options = options;
  }

  /**
   * Starts one worker, and the others when it accepts connections, so that a common failure is reported once. Resolves
   * when every worker accepts connections or has failed too often.
   * @param signal stops waiting
   * @returns the pool, which the caller disposes, and the address, or null if the start was aborted
   * @throws WorkerStartError if the first worker exits before it accepts connections
   */
  static async start(
    options: WorkerPoolOptions,
    signal: AbortSignal,
  ): Promise<{ readonly workers: WorkerPool; readonly address: ListenAddress | null }> {
    const workers = new WorkerPool(options);
    const abort = (): void => workers.#abort.abort();
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    try {
      const address = await workers.#startAll();
      return { workers, address };
    } catch (error) {
      await workers[Symbol.asyncDispose]();
      throw error;
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  /** Number of running workers, without those that wait for a restart. */
  get size(): number {
    return this.#processes.size;
  }

  /** Resolves when each server of each running worker has answered or failed once. */
  async discovered(): Promise<void> {
    await Promise.all([...this.#processes.values()].map(({ discovered }) => discovered));
  }

  /** Returns the metrics of all workers in the Prometheus format. Workers that do not answer within one second are omitted. */
  async metrics(): Promise<string> {
    const { count, clock } = this.#options;
    const processes = Array.from({ length: count }, (_, index) => this.#processes.get(index + 1));
    return mergeMetrics(await Promise.all(processes.map(async (worker) => (await worker?.metrics(clock)) ?? null)));
  }

  /** Resolves when no worker remains because all failed too often or were stopped. */
  async ended(): Promise<void> {
    await Promise.all(this.#loops);
  }

  /** Stops all workers and kills those that do not exit in time. @returns whether all exited with code 0 */
  stop(): Promise<boolean> {
    this.#stopped ??= this.#shutDown();
    return this.#stopped;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #shutDown(): Promise<boolean> {
    const { clock, shutdownMs, logger } = this.#options;
    this.#abort.abort();
    for (const worker of this.#processes.values()) worker.stop();
    const allExited = new AbortController();
    const termination = sleep(clock, shutdownMs + CHILD_GRACE_MS, allExited.signal).then(() => {
      for (const worker of this.#processes.values()) {
        logger.error({ pid: worker.pid }, 'worker did not exit in time and is killed');
        worker.kill();
      }
    });
    await this.ended();
    allExited.abort();
    await termination;
    clearInterval(this.#keepAlive);
    return this.#stoppedCleanly;
  }

  /** Starts all workers. @returns the address, or null if the pool was stopped before */
  async #startAll(): Promise<ListenAddress | null> {
    const { count } = this.#options;
    if (this.#isStopping()) return null;
    const first = this.#fork(1);
    const address = await Promise.race([first.ready, this.#whenStopping()]);
    if (this.#isStopping()) {
      this.#loops.push(this.#keepRunning(1, first, () => undefined));
      return null;
    }
    if (address === null) {
      this.#processes.delete(1);
      throw new WorkerStartError(await first.exited);
    }
    const settled: Promise<void>[] = [];
    for (let number = 1; number <= count; number += 1) {
      const worker = number === 1 ? first : this.#fork(number);
      settled.push(new Promise((resolve) => this.#loops.push(this.#keepRunning(number, worker, resolve))));
    }
    await Promise.race([Promise.all(settled), this.#whenStopping()]);
    return this.#isStopping() ? null : address;
  }

  /**
   * Restarts one worker until the pool stops or the worker has failed too often.
   * @param onSettled called when the worker first accepts connections, or when it is not restarted anymore
   */
  async #keepRunning(number: number, first: WorkerProcess, onSettled: () => void): Promise<void> {
    const { clock, random, logger } = this.#options;
    let worker = first;
    for (let failures = 0; ;) {
      const acceptedAtMs = worker.ready.then((address) => {
        if (address === null) return null;
        onSettled();
        return clock.monotonic();
      });
      const { description, code } = await worker.exited;
      this.#processes.delete(number);
      const fields = { worker: number, pid: worker.pid };
      if (this.#isStopping()) {
        if (code !== 0) this.#stoppedCleanly = false;
        logger.info(fields, `worker ${number} stopped: ${description}`);
        break;
      }
      const sinceMs = await acceptedAtMs;
      const wasStable = sinceMs !== null && clock.monotonic() - sinceMs >= STABLE_AFTER_MS;
      failures = wasStable ? 1 : failures + 1;
      if (failures >= MAX_FAILURES) {
        const advice = 'fix the errors logged above, then start swarmlens again';
        logger.error(fields, `worker ${number} failed ${failures} times in a row (${description}): ${advice}`);
        break;
      }
      const delayMs = Math.round(backoffDelayMs(failures, RESTART_BACKOFF, random));
      logger.warn(fields, `worker ${number} exited (${description}), restarting in ${delayMs} ms`);
      await sleep(clock, delayMs, this.#abort.signal);
      if (this.#isStopping()) break;
      worker = this.#fork(number);
    }
    onSettled();
  }

  #fork(number: number): WorkerProcess {
    const worker = new WorkerProcess(this.#options.fork(number), () => this.metrics());
    this.#processes.set(number, worker);
    this.#options.logger.info({ worker: number, pid: worker.pid }, `worker ${number} started`);
    return worker;
  }

  /** Whether the pool is stopping. A function, because the compiler would narrow `signal.aborted` for good. */
  #isStopping(): boolean {
    return this.#abort.signal.aborted;
  }

  #whenStopping(): Promise<null> {
    const { signal } = this.#abort;
    return new Promise((resolve) => signal.addEventListener('abort', () => resolve(null), { once: true }));
  }
}
