import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { forkOf, type Place, Workers } from '../../src/workers/index.js';
import { type LogLine, recordingLogger } from '../mcp/support.js';
import { ManualClock } from '../support/manual-clock.js';
import { waitUntil } from '../support/wait.js';

const PROGRAM = fileURLToPath(new URL('worker.js', import.meta.url));
export const SHUTDOWN_MS = 2_000;

/** See worker.js. */
type Manner = 'good' | 'broken' | 'deaf' | 'unwell' | 'mute' | 'mortal' | 'unable';

/** Workers that are real processes, by a clock of the test's own. */
export class Rig implements AsyncDisposable {
  readonly clock = new ManualClock();
  readonly lines: readonly LogLine[];
  readonly workers: Promise<Workers>;
  readonly #place: Promise<Place | null>;
  readonly #asked = new AbortController();

  /** @param mannerOf how a worker behaves that is started for the nth time, from 1 on */
  constructor(count: number, mannerOf: (number: number, nth: number) => Manner = () => 'good') {
    const { logger, lines } = recordingLogger();
    this.lines = lines;
    const starts = new Map<number, number>();
    const fork: ReturnType<typeof forkOf> = (number) => {
      const nth = (starts.get(number) ?? 0) + 1;
      starts.set(number, nth);
      return forkOf(PROGRAM, [mannerOf(number, nth)])(number);
    };
    const options = { count, fork, shutdownMs: SHUTDOWN_MS, clock: this.clock, random: () => 0.999999, logger };
    const started = Workers.start(options, this.#asked.signal);
    this.workers = started.then(({ workers }) => workers);
    this.#place = started.then(({ place }) => place);
    // Awaited by those that expect it.
    this.workers.catch(() => undefined);
    this.#place.catch(() => undefined);
  }

  /** Where all of them are; `null`: they were asked to stop before. */
  place(): Promise<Place | null> {
    return this.#place;
  }

  ask(): void {
    this.#asked.abort();
  }

  messages(): string[] {
    return this.lines.map(({ message }) => message);
  }

  /** The pauses that were told so far. */
  pausesMs(): number[] {
    return this.messages().flatMap((message) => Number(/again in (\d+) ms/.exec(message)?.[1] ?? NaN) || []);
  }

  /** Resolves when there are so many lines of the log like it. */
  async logged(pattern: RegExp, count = 1): Promise<void> {
    const isLogged = (): boolean => this.messages().filter((message) => pattern.test(message)).length >= count;
    await waitUntil(isLogged, { state: () => this.messages(), intervalMs: 1 });
  }

  /** The number and the process of whoever's turn it is. */
  async get(path = '/'): Promise<string> {
    const place = await this.place();
    if (place === null) throw new Error('it was stopped');
    return await (await fetch(`http://${place.address}:${place.port}${path}`)).text();
  }

  /** Asks until it is the worker's turn. */
  async answerOf(number: number, path = '/'): Promise<string> {
    let answer = '';
    await waitUntil(async () => (answer = await this.get(path)).startsWith(`${number} `), {
      state: () => ({ answer, messages: this.messages() }),
      intervalMs: 0,
    });
    return answer;
  }

  /** Makes a worker end with exit code 7. @returns its process */
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
