import type { Worker } from 'node:cluster';
import { type Clock, backoffDelayMs, sleep, type Logger } from '../../shared/index.js';
import { mergeMetrics } from './merge-metrics.js';
import { type ExitStatus, type ListenAddress, WorkerProcess } from './worker-process.js';

export interface WorkerPoolOptions {
  /** From 1 on. */
  readonly count: number;
  /** Starts one. @param number of the worker, from 1 to `count` */
  readonly fork: (number: number) => Worker;
  /** How long a worker may take to end; child processes of its own get a little more. */
  readonly shutdownMs: number;
  readonly clock: Clock;
  /** 0 ≤ x < 1 */
  readonly random: () => number;
  readonly logger: Logger;
}

/** Pauses before a worker is started again, and how many starts in a row may come to nothing. */
const PAUSES = { initialMs: 500, maxMs: 30_000 };
const MAX_STARTS = 10;
/** Who has accepted connections for so long has come to something. */
const LASTING_MS = 60_000;
/** That a worker may take longer than `shutdownMs`, for child processes that do not heed the first word. */
const CHILDREN_MS = 5_000;

/** The program could not be started: its first worker has ended before it accepted a connection, and has said why. */
export class WorkerStartError extends Error {
  override readonly name = 'StartError';
  /** Of the process. */
  readonly code: number;

  constructor({ code, how }: ExitStatus) {
    super(`the first worker could not be started: ${how}`);
    this.code = code === null || code === 0 ? 1 : code;
  }
}

/**
 * Keeps so many workers running: one that ends unasked is started again after a pause, which grows and is bounded, until
 * so many starts in a row have come to nothing.
 */
export class WorkerPool implements AsyncDisposable {
  readonly #options: WorkerPoolOptions;
  readonly #stop = new AbortController();
  /** By number. */
  readonly #runs = new Map<number, WorkerProcess>();
  readonly #kept: Promise<void>[] = [];
  #stopped: Promise<boolean> | null = null;
  /** Whether those that were asked to stop ended by themselves, without an error. */
  #areWell = true;
  /** Timers of the clock do not hold our process, and between two workers nothing else may. */
  readonly #hold = setInterval(() => undefined, PAUSES.maxMs);

  private constructor(options: WorkerPoolOptions) {
    this.#options = options;
  }

  /**
   * Starts one worker, and when it accepts connections the others: what keeps all of them from starting is told once.
   * @param signal gives up waiting
   * @returns when all of them accept connections, or have been given up; close it whatever comes of it
   * @throws StartError when the first does not come to that
   */
  static async start(
    options: WorkerPoolOptions,
    signal: AbortSignal,
  ): Promise<{ readonly workers: WorkerPool; readonly place: ListenAddress | null }> {
    const workers = new WorkerPool(options);
    const stop = (): void => workers.#stop.abort();
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    try {
      const place = await workers.#begin();
      return { workers, place };
    } catch (error) {
      await workers[Symbol.asyncDispose]();
      throw error;
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }

  /** How many there are; who waits to be started again is none. */
  get size(): number {
    return this.#runs.size;
  }

  /** Resolves when each server of each running worker has answered or failed once. */
  async discovered(): Promise<void> {
    await Promise.all([...this.#runs.values()].map(({ discovered }) => discovered));
  }

  /** Of all workers, in Prometheus' format: those that have not told theirs within a second are left out, which is shown. */
  async metrics(): Promise<string> {
    const { count, clock } = this.#options;
    const runs = Array.from({ length: count }, (_, index) => this.#runs.get(index + 1));
    return mergeMetrics(await Promise.all(runs.map(async (run) => (await run?.metrics(clock)) ?? null)));
  }

  /** Resolves when no worker is left: all were given up, or asked to stop. */
  async ended(): Promise<void> {
    await Promise.all(this.#kept);
  }

  /** Asks all of them to stop; those that have not ended in time are killed. @returns whether all ended well */
  stop(): Promise<boolean> {
    this.#stopped ??= this.#end();
    return this.#stopped;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #end(): Promise<boolean> {
    const { clock, shutdownMs, logger } = this.#options;
    this.#stop.abort();
    for (const run of this.#runs.values()) run.stop();
    const left = new AbortController();
    const patience = sleep(clock, shutdownMs + CHILDREN_MS, left.signal).then(() => {
      for (const run of this.#runs.values()) {
        logger.error({ pid: run.pid }, 'a worker has not ended in time and is killed');
        run.kill();
      }
    });
    await this.ended();
    left.abort();
    await patience;
    clearInterval(this.#hold);
    return this.#areWell;
  }

  /** @returns `null`: it was asked to stop before */
  async #begin(): Promise<ListenAddress | null> {
    const { count } = this.#options;
    if (this.#isStopping()) return null;
    const first = this.#fork(1);
    const place = await Promise.race([first.ready, this.#stopping()]);
    if (this.#isStopping()) {
      this.#kept.push(this.#keep(1, first, () => undefined));
      return null;
    }
    if (place === null) {
      this.#runs.delete(1);
      throw new WorkerStartError(await first.exited);
    }
    const settled: Promise<void>[] = [];
    for (let number = 1; number <= count; number += 1) {
      const run = number === 1 ? first : this.#fork(number);
      settled.push(new Promise((resolve) => this.#kept.push(this.#keep(number, run, resolve))));
    }
    await Promise.race([Promise.all(settled), this.#stopping()]);
    return this.#isStopping() ? null : place;
  }

  /** @param onSettled told when it accepts connections for the first time, or nothing more is to be expected */
  async #keep(number: number, first: WorkerProcess, onSettled: () => void): Promise<void> {
    const { clock, random, logger } = this.#options;
    let run = first;
    for (let failures = 0; ;) {
      const acceptedAtMs = run.ready.then((place) => {
        if (place === null) return null;
        onSettled();
        return clock.monotonic();
      });
      const { how, code } = await run.exited;
      this.#runs.delete(number);
      const facts = { worker: number, pid: run.pid };
      if (this.#isStopping()) {
        if (code !== 0) this.#areWell = false;
        logger.info(facts, `worker ${number} has stopped: ${how}`);
        break;
      }
      const sinceMs = await acceptedAtMs;
      const isLasting = sinceMs !== null && clock.monotonic() - sinceMs >= LASTING_MS;
      failures = isLasting ? 1 : failures + 1;
      if (failures >= MAX_STARTS) {
        const advice = 'see what it has said, and start swarmlens again';
        logger.error(facts, `worker ${number} is given up after ${failures} starts in a row (${how}): ${advice}`);
        break;
      }
      const pauseMs = Math.round(backoffDelayMs(failures, PAUSES, random));
      logger.warn(facts, `worker ${number} has ended (${how}) and is started again in ${pauseMs} ms`);
      await sleep(clock, pauseMs, this.#stop.signal);
      if (this.#isStopping()) break;
      run = this.#fork(number);
    }
    onSettled();
  }

  #fork(number: number): WorkerProcess {
    const run = new WorkerProcess(this.#options.fork(number), () => this.metrics());
    this.#runs.set(number, run);
    this.#options.logger.info({ worker: number, pid: run.pid }, `worker ${number} is started`);
    return run;
  }

  /** A function, because the compiler takes an earlier look at `signal.aborted` for good. */
  #isStopping(): boolean {
    return this.#stop.signal.aborted;
  }

  #stopping(): Promise<null> {
    const { signal } = this.#stop;
    return new Promise((resolve) => signal.addEventListener('abort', () => resolve(null), { once: true }));
  }
}
