import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { createFork } from '../../../src/cli/workers/worker-context.js';
import type { ListenAddress } from '../../../src/cli/workers/worker-process.js';
import { WorkerPool } from '../../../src/cli/workers/worker-pool.js';
import { type LogLine, recordingLogger } from '../../mcp/support.js';
import { ManualClock } from '../../support/manual-clock.js';
import { waitUntil } from '../../support/wait.js';

const PROGRAM = fileURLToPath(new URL('worker.js', import.meta.url));
export const SHUTDOWN_MS = 2_000;

/** Behavior of a worker, implemented by worker.js. */
type Behavior = 'good' | 'broken' | 'deaf' | 'unwell' | 'mute' | 'mortal' | 'unable';

/** Pool of workers that are real processes, with a manual clock. */
export class Rig implements AsyncDisposable {
  readonly clock = new ManualClock();
  readonly lines: readonly LogLine[];
  readonly workers: Promise<WorkerPool>;
  readonly #address: Promise<ListenAddress | null>;
  readonly #stopRequest = new AbortController();

  /** @param behaviorOf returns the behavior of a worker at its nth start, from 1 */
  constructor(count: number, behaviorOf: (number: number, nth: number) => Behavior = () => 'good') {
    const { logger, lines } = recordingLogger();
    this.lines = lines;
    const starts = new Map<number, number>();
    const fork: ReturnType<typeof createFork> = (number) => {
      const nth = (starts.get(number) ?? 0) + 1;
      starts.set(number, nth);
      return createFork(PROGRAM, [behaviorOf(number, nth)])(number);
    };
    const options = { count, fork, shutdownMs: SHUTDOWN_MS, clock: this.clock, random: () => 0.999999, logger };
    const started = WorkerPool.start(options, this.#stopRequest.signal);
    this.workers = started.then(({ workers }) => workers);
    this.#address = started.then(({ address }) => address);
    // Tests that expect a rejection await these promises themselves.
    this.workers.catch(() => undefined);
    this.#address.catch(() => undefined);
  }

  /** Resolves with the shared address of the workers, or null if they were stopped before. */
  address(): Promise<ListenAddress | null> {
    return this.#address;
  }

  requestStop(): void {
    this.#stopRequest.abort();
  }

  messages(): string[] {
    return this.lines.map(({ message }) => message);
  }

  /** Logged restart delays, in milliseconds. */
  pausesMs(): number[] {
    return this.messages().flatMap((message) => Number(/restarting in (\d+) ms/.exec(message)?.[1] ?? NaN) || []);
  }

  /** Resolves when `count` log messages match the pattern. */
  async logged(pattern: RegExp, count = 1): Promise<void> {
    const isLogged = (): boolean => this.messages().filter((message) => pattern.test(message)).length >= count;
    await waitUntil(isLogged, { state: () => this.messages(), intervalMs: 1 });
  }

  /** Sends a request to the next worker. The root path returns the worker's number and process id. */
  async get(path = '/'): Promise<string> {
    const address = await this.address();
    if (address === null) throw new Error('the workers were stopped');
    return await (await fetch(`http://${address.address}:${address.port}${path}`)).text();
  }

  /** Repeats a request until the given worker answers. */
  async answerOf(number: number, path = '/'): Promise<string> {
    let answer = '';
    await waitUntil(async () => (answer = await this.get(path)).startsWith(`${number} `), {
      state: () => ({ answer, messages: this.messages() }),
      intervalMs: 0,
    });
    return answer;
  }

  /** Makes a worker exit with code 7. @returns its process id */
  async end(number: number): Promise<string> {
    const [, pid = ''] = (await this.answerOf(number, `/die/${number}`)).split(' ');
    return pid;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const workers = await this.workers.catch(() => null);
    await workers?.stop();
    expect(this.clock.pending).toBe(0);
  }
}
