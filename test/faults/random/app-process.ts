import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { Config } from '../../../src/config/index.js';

const APP = fileURLToPath(new URL('../servers/app.js', import.meta.url));

const MESSAGE = z.union([
  z.object({ url: z.string() }),
  z.object({ rss: z.number(), heapUsed: z.number() }),
  z.object({ problem: z.string() }),
]);

/** Memory in bytes after a garbage collection. */
export interface Memory {
  readonly rss: number;
  readonly heapUsed: number;
}

/** Runs swarmlens in a separate process. */
export class AppProcess implements AsyncDisposable {
  readonly url: string;
  /** Memory samples in order. */
  readonly memory: Memory[] = [];
  /** Unhandled rejections, logged errors and unexpected exits. */
  readonly problems: string[] = [];
  /** Aborted when the process has exited. */
  readonly ended: AbortSignal;
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  #isStopping = false;

  private constructor(child: ChildProcess, url: string) {
    this.#child = child;
    this.url = url;
    this.#exited = once(child, 'exit');
    child.on('message', (message) => this.#received(message));
    child.stderr?.on('data', (chunk: Buffer) => this.problems.push(chunk.toString()));
    const ending = new AbortController();
    this.ended = ending.signal;
    child.once('exit', (code, signal) => {
      ending.abort();
      if (!this.#isStopping || code !== 0) this.problems.push(`it ended with ${signal ?? `exit code ${code}`}`);
    });
  }

  /** @param factor speed of its clock relative to the system clock */
  static async start(config: Config, factor: number): Promise<AppProcess> {
    const child = fork(APP, [JSON.stringify(config), `${factor}`], {
      execArgv: ['--expose-gc'],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    const [message] = await Promise.race([
      once(child, 'message'),
      once(child, 'exit').then(() => Promise.reject(new Error('swarmlens did not start'))),
    ]);
    return new AppProcess(child, z.object({ url: z.string() }).parse(message).url);
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  /** Requests one more memory sample. */
  sample(): void {
    if (this.#child.connected) this.#child.send('memory');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopping = true;
    if (this.#child.connected) this.#child.send('stop');
    await this.#exited;
  }

  #received(data: unknown): void {
    const message = MESSAGE.parse(data);
    if ('rss' in message) this.memory.push(message);
    else if ('problem' in message) this.problems.push(message.problem);
  }
}
