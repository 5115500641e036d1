import { type Clock, FileWatcher, fileFingerprint, errorMessage } from '../shared/index.js';
import type { Logger } from '../telemetry/index.js';
import { type Config, ConfigError } from './config.js';
import { type ConfigSources, loadConfig } from './load-config.js';

/** Between two looks at the file. The system tells of most changes earlier. */
const LOOK_MS = 2_000;
/** How long a mistake has to stand before it is told: the file may be half written, or away for a moment. */
const SETTLE_MS = 500;

export interface ConfigFileWatcherOptions {
  /** Where the configuration was loaded from. */
  readonly sources: ConfigSources;
  /** `Config.file` */
  readonly file: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Gets each valid configuration, the next one only when this one has been applied; also one that changes nothing. */
  readonly onConfig: (config: Config) => Promise<void>;
  /** Gets the mistakes of a file that was changed and is wrong, one line each. */
  readonly onInvalid: (problems: readonly string[]) => Promise<void>;
}

/**
 * Reads the configuration file again when it has changed: written to, or replaced by another file, as editors do. The
 * file is looked at by its name, so that neither a rename nor a link that is set anew is missed.
 */
export class ConfigFileWatcher implements AsyncDisposable {
  readonly #options: ConfigFileWatcherOptions;
  readonly #stop = new AbortController();
  readonly #changes: FileWatcher;
  readonly #running: Promise<void>;

  constructor(options: ConfigFileWatcherOptions) {
    this.#options = options;
    const { file, clock, logger } = options;
    this.#changes = new FileWatcher(file, clock, (error) =>
      logger.debug({ error: errorMessage(error) }, 'the file system tells of no changes'),
    );
    this.#running = this.#run(this.#stop.signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    this.#changes[Symbol.dispose]();
    await this.#running;
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { file, clock, logger, onConfig, onInvalid } = this.#options;
    const tell = async (told: Promise<void>): Promise<void> => {
      await told.catch((error: unknown) => {
        logger.error({ error: errorMessage(error) }, 'the changed configuration could not be applied');
      });
    };
    let seen: string | null = null;
    let doubt: { readonly problems: readonly string[]; readonly sinceMs: number } | null = null;
    while (!isAborted(signal)) {
      const mark = await fileFingerprint(file);
      if (mark !== seen) {
        seen = mark;
        doubt = null;
        const found = await this.#read();
        if (isAborted(signal)) return;
        if ('config' in found) await tell(onConfig(found.config));
        else {
          logger.debug({ problems: found.problems }, 'the configuration file has mistakes, or is half written');
          doubt = { problems: found.problems, sinceMs: clock.monotonic() };
        }
      } else if (doubt !== null && clock.monotonic() - doubt.sinceMs >= SETTLE_MS) {
        await tell(onInvalid(doubt.problems));
        doubt = null;
      }
      await this.#changes.waitForChange(doubt === null ? LOOK_MS : SETTLE_MS, signal);
    }
  }

  async #read(): Promise<{ readonly config: Config } | { readonly problems: readonly string[] }> {
    const { sources, file } = this.#options;
    try {
      // By its name: without the file there would be the demo.
      return { config: await loadConfig({ ...sources, flags: { ...sources.flags, config: file } }) };
    } catch (error) {
      return { problems: error instanceof ConfigError ? error.problems : [errorMessage(error)] };
    }
  }
}

/** A function, because the compiler takes an earlier look at `signal.aborted` for good. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}
