import { type FSWatcher, watch } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { type Clock, sleep } from './clock.js';

/** After the system has told of a change, which seldom comes alone. */
const GATHER_MS = 50;

/**
 * Tells when to look at a file again. Its directory is watched, because the file that bears the name may be another
 * one tomorrow; not every system tells of changes, so whoever waits here also looks now and then.
 */
export class FileWatcher implements Disposable {
  readonly #clock: Clock;
  readonly #watcher: FSWatcher | null;
  #wake: () => void = () => undefined;
  /** The system told of a change while nobody was waiting for it. */
  #isRung = false;

  /** @param onSilent the system tells of no changes, and why */
  constructor(file: string, clock: Clock, onSilent: (error: unknown) => void) {
    this.#clock = clock;
    this.#watcher = this.#watchDirectory(file, onSilent);
  }

  /**
   * Resolves when it is time to look again, when the system has told of a change, or when this is disposed; `signal`, to be
   * aborted before that, cuts the gathering short.
   */
  async waitForChange(delayMs: number, signal: AbortSignal): Promise<void> {
    if (!this.#isRung) {
      const woken = new AbortController();
      this.#wake = () => woken.abort();
      await sleep(this.#clock, delayMs, woken.signal);
      this.#wake = () => undefined;
    }
    if (this.#isRung) await sleep(this.#clock, GATHER_MS, signal);
    this.#isRung = false;
  }

  [Symbol.dispose](): void {
    this.#watcher?.close();
    this.#ring();
  }

  #ring(): void {
    this.#isRung = true;
    this.#wake();
  }

  #watchDirectory(file: string, onSilent: (error: unknown) => void): FSWatcher | null {
    try {
      const watcher = watch(dirname(file), { persistent: false }, (_event, name) => {
        // Where the system does not name the file, each change may be its.
        if (name === null || name === basename(file)) this.#ring();
      });
      watcher.on('error', onSilent);
      return watcher;
    } catch (error) {
      onSilent(error);
      return null;
    }
  }
}

/** Differs when the file does, as far as that can be known without reading it. The file is looked at by its name. */
export async function fileFingerprint(file: string): Promise<string> {
  try {
    const { ino, size, mtimeNs, ctimeNs } = await stat(file, { bigint: true });
    return [ino, size, mtimeNs, ctimeNs].join();
  } catch {
    return 'cannot be read';
  }
}
