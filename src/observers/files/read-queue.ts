export interface ReadQueueOptions {
  readonly maxParallel: number;
  readonly read: (path: string) => Promise<void>;
  readonly onFailure: (error: unknown, path: string) => void;
}

/**
 * Reads files in the order in which they were added, several at a time and each one once at a time. A file that is added while it
 * is read is read again.
 */
export class ReadQueue {
  readonly #options: ReadQueueOptions;
  readonly #waiting = new Set<string>();
  readonly #running = new Set<string>();
  #onIdle: (() => void)[] = [];

  constructor(options: ReadQueueOptions) {
    this.#options = options;
  }

  add(path: string): void {
    this.#waiting.add(path);
    this.#startNext();
  }

  /** Resolves when no file is waiting or being read. */
  idle(): Promise<void> {
    if (this.#waiting.size === 0 && this.#running.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onIdle.push(resolve);
    });
  }

  #startNext(): void {
    for (const path of this.#waiting) {
      if (this.#running.size >= this.#options.maxParallel) return;
      if (this.#running.has(path)) continue;
      this.#waiting.delete(path);
      this.#running.add(path);
      // Does not reject.
      this.#run(path).catch(() => undefined);
    }
  }

  async #run(path: string): Promise<void> {
    try {
      await this.#options.read(path);
    } catch (error) {
      this.#options.onFailure(error, path);
    }
    this.#running.delete(path);
    this.#startNext();
    if (this.#waiting.size === 0 && this.#running.size === 0) for (const resolve of this.#onIdle.splice(0)) resolve();
  }
}
