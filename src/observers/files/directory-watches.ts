import { type FSWatcher, watch } from 'node:fs';
import { join } from 'node:path';

/** Maximum number of directories that are watched. The others are polled. */
const MAX_WATCHES = 4_096;

export interface DirectoryWatchesOptions {
  readonly root: string;
  /**
   * Called for each change that the system reports.
   * @param path path of the changed entry below the root, or of its directory if the system does not name the entry
   */
  readonly onChange: (path: string) => void;
  /** Called for a directory whose changes cannot be reported. */
  readonly onUnavailable: (directory: string) => void;
}

/** Watches directories, so that changes are noticed at once. Some file systems report none, and are polled as well. */
export class DirectoryWatches implements Disposable {
  readonly #options: DirectoryWatchesOptions;
  readonly #watchers = new Map<string, FSWatcher>();

  constructor(options: DirectoryWatchesOptions) {
    this.#options = options;
  }

  /**
   * Watches exactly these directories, the first ones if there are too many. Returns whether a directory is watched now that was not
   * before, so that its earlier changes were not reported.
   */
  set(directories: readonly string[]): boolean {
    const wanted = new Set(directories.slice(0, MAX_WATCHES));
    for (const directory of this.#watchers.keys()) if (!wanted.has(directory)) this.#close(directory);
    const added = [...wanted].filter((directory) => !this.#watchers.has(directory));
    for (const directory of added) this.#open(directory);
    return added.some((directory) => this.#watchers.has(directory));
  }

  [Symbol.dispose](): void {
    for (const directory of [...this.#watchers.keys()]) this.#close(directory);
  }

  #open(directory: string): void {
    const { root, onChange, onUnavailable } = this.#options;
    try {
      const watcher = watch(join(root, directory), { persistent: false }, (_event, name) => {
        onChange(name === null ? directory : directory === '' ? name : `${directory}/${name}`);
      });
      watcher.on('error', () => {
        this.#close(directory);
        onChange(directory);
      });
      this.#watchers.set(directory, watcher);
    } catch {
      onUnavailable(directory);
    }
  }

  #close(directory: string): void {
    this.#watchers.get(directory)?.close();
    this.#watchers.delete(directory);
  }
}
