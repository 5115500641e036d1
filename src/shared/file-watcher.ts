import { type FSWatcher, watch } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { type Clock, sleep } from './clock.js';

/** Delay after a change event, in milliseconds, because changes rarely come alone. */
const DEBOUNCE_MS = 50;

/**
 * Watches one file by name. Watches its directory, because the file may be replaced. Some file systems report no changes, so
 * that waiting also ends after a delay.
 */
export class FileWatcher implements Disposable {
  readonly #clock: Clock;
  readonly #watcher: FSWatcher | null;
  #wake: () => void = () => undefined;
  /** Whether a change was reported since the last wait. */
  #hasChanged = false;

  /** @param onUnavailable called if the system cannot report changes */
  constructor(file: string, clock: Clock, onUnavailable: (error: unknown) => void) {
    this.#clock = clock;
    this.#watcher = this.#watchDirectory(file, onUnavailable);
  }

  /**
   * Resolves after `delayMs`, after a reported change, or when the watcher is disposed. An aborted `signal` ends the delay after
   * a change early.
   */
  async waitForChange(delayMs: number, signal: AbortSignal): Promise<void> {
    if (!this.#hasChanged) {
      const woken = new AbortController();
      this.#wake = () => woken.abort();
      await sleep(this.#clock, delayMs, woken.signal);
      this.#wake = () => undefined;
    }
    if (this.#hasChanged) await sleep(this.#clock, DEBOUNCE_MS, signal);
    this.#hasChanged = false;
  }

  [Symbol.dispose](): void {
    this.#watcher?.close();
    this.#handleChange();
  }

  #handleChange(): void {
    this.#hasChanged = true;
    this.#wake();
  }

  #watchDirectory(file: string, onUnavailable: (error: unknown) => void): FSWatcher | null {
    try {
      const watcher = watch(dirname(file), { persistent: false }, (_event, name) => {
        // If the system does not name the file, any change may concern it.
        if (name === null || name === basename(file)) this.#handleChange();
      });
      watcher.on('error', onUnavailable);
      return watcher;
    } catch (error) {
      onUnavailable(error);
      return null;
    }
  }
}

/** Returns a text that changes with the file, as far as its metadata shows. */
export async function fileFingerprint(file: string): Promise<string> {
  try {
    const { ino, size, mtimeNs, ctimeNs } = await stat(file, { bigint: true });
    return [ino, size, mtimeNs, ctimeNs].join();
  } catch {
    return 'unreadable';
  }
}
