import { type Clock, FileWatcher, fileFingerprint, errorMessage, type Logger, isAborted } from '../shared/index.js';
import { type Config, ConfigError } from './config.js';
import { type ConfigSources, loadConfig } from './load-config.js';

/** Interval in milliseconds of checks of the file. The file system reports most changes earlier. */
const CHECK_INTERVAL_MS = 2_000;
/** Time in milliseconds after which a mistake is reported, because an editor may be replacing the file. */
const SETTLE_MS = 500;

export interface ConfigFileWatcherOptions {
  readonly sources: ConfigSources;
  /** Path of the configuration file. */
  readonly file: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Called with each valid configuration, also an unchanged one. The next call waits for the result. */
  readonly onConfig: (config: Config) => Promise<void>;
  /** Called with the mistakes of an invalid file, one line each. */
  readonly onInvalid: (problems: readonly string[]) => Promise<void>;
}

/**
 * Reloads the configuration file when it changes. Watches the path instead of the open file, so that it detects when an
 * editor or a symbolic link replaces the file.
 */
export class ConfigFileWatcher implements AsyncDisposable {
  readonly #options: ConfigFileWatcherOptions;
  readonly #abort = new AbortController();
  readonly #watcher: FileWatcher;
  readonly #loop: Promise<void>;

  constructor(options: ConfigFileWatcherOptions) {
    this.#options = options;
    const { file, clock, logger } = options;
    this.#watcher = new FileWatcher(file, clock, (error) =>
      logger.debug({ error: errorMessage(error) }, 'file system events unavailable'),
    );
    this.#loop = this.#run(this.#abort.signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    this.#watcher[Symbol.dispose]();
    await this.#loop;
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { file, clock, logger, onConfig, onInvalid } = this.#options;
    const report = async (result: Promise<void>): Promise<void> => {
      await result.catch((error: unknown) => {
        logger.error({ error: errorMessage(error) }, 'changed configuration was not applied');
      });
    };
    let previous: string | null = null;
    let mistake: { readonly problems: readonly string[]; readonly sinceMs: number } | null = null;
    while (!isAborted(signal)) {
      const fingerprint = await fileFingerprint(file);
      if (fingerprint !== previous) {
        previous = fingerprint;
        mistake = null;
        const loaded = await this.#load();
        if (isAborted(signal)) return;
        if ('config' in loaded) await report(onConfig(loaded.config));
        else {
          logger.debug({ problems: loaded.problems }, 'configuration file is invalid or incomplete');
          mistake = { problems: loaded.problems, sinceMs: clock.monotonic() };
        }
      } else if (mistake !== null && clock.monotonic() - mistake.sinceMs >= SETTLE_MS) {
        await report(onInvalid(mistake.problems));
        mistake = null;
      }
      await this.#watcher.waitForChange(mistake === null ? CHECK_INTERVAL_MS : SETTLE_MS, signal);
    }
  }

  async #load(): Promise<{ readonly config: Config } | { readonly problems: readonly string[] }> {
    const { sources, file } = this.#options;
    try {
      // Without a name, a missing file would start the demo.
      return { config: await loadConfig({ ...sources, flags: { ...sources.flags, config: file } }) };
    } catch (error) {
      return { problems: error instanceof ConfigError ? error.problems : [errorMessage(error)] };
    }
  }
}
