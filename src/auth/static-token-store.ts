import { isDeepStrictEqual } from 'node:util';
import { type Clock, FileWatcher, fileFingerprint, errorMessage, type Logger, isAborted } from '../shared/index.js';
import { unauthenticatedError } from './bearer-token.js';
import { verifySecret, parseStaticToken } from './static-token.js';
import { readTokenFile, type StoredToken, TokenFileError } from './token-file.js';
import { createViewer, type Viewer } from './viewer.js';

/** Interval in which the file is checked, so that revoking a token takes effect within one second. */
const CHECK_INTERVAL_MS = 500;

export interface StaticTokenStoreOptions {
  readonly file: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface Entry {
  readonly token: StoredToken;
  /** Viewer of the token. The object stays the same until the token changes. */
  readonly viewer: Viewer;
}

/**
 * Static tokens of a file, reloaded when the file changes. An invalid file changes nothing, because a mistake must not lock
 * out all clients. Deleting the file revokes all tokens.
 */
export class StaticTokenStore implements AsyncDisposable {
  readonly #options: StaticTokenStoreOptions;
  readonly #onChange: () => void;
  readonly #abort = new AbortController();
  readonly #watcher: FileWatcher;
  #entries: ReadonlyMap<string, Entry>;
  #viewers: ReadonlySet<Viewer>;
  readonly #loop: Promise<void>;

  private constructor(
    options: StaticTokenStoreOptions,
    fingerprint: string,
    tokens: readonly StoredToken[],
    onChange: () => void,
  ) {
    const { file, clock, logger } = options;
    this.#options = options;
    this.#onChange = onChange;
    this.#entries = createEntries(tokens, new Map());
    this.#viewers = toViewers(this.#entries);
    this.#watcher = new FileWatcher(file, clock, (error) =>
      logger.debug({ error: errorMessage(error) }, 'watching the token file failed'),
    );
    this.#loop = this.#watch(fingerprint, this.#abort.signal);
  }

  /**
   * Reads the file and starts watching it.
   * @param onChange called after the tokens have changed
   * @throws TokenFileError if the file is missing or invalid
   */
  static async open(options: StaticTokenStoreOptions, onChange: () => void): Promise<StaticTokenStore> {
    const fingerprint = await fileFingerprint(options.file);
    return new StaticTokenStore(options, fingerprint, await readTokenFile(options.file), onChange);
  }

  /**
   * Verifies a static token and returns its viewer.
   * @throws SwarmlensError UNAUTHENTICATED, with the same message for unknown and revoked tokens
   */
  verify(text: string): Viewer {
    const parts = parseStaticToken(text);
    const entry = parts && this.#entries.get(parts.id);
    if (parts == null || entry == null || !verifySecret(entry.token.hash, parts.secret)) {
      throw unauthenticatedError('Unknown or revoked token. Create a token with "swarmlens token create".');
    }
    const { expiresAtMs } = entry.viewer;
    if (expiresAtMs !== null && expiresAtMs <= this.#options.clock.now())
      throw unauthenticatedError('The token has expired.');
    return entry.viewer;
  }

  /** Whether the token of a viewer that `verify` returned still exists unchanged. */
  isCurrent(viewer: Viewer): boolean {
    return this.#viewers.has(viewer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    this.#watcher[Symbol.dispose]();
    await this.#loop;
  }

  async #watch(initialFingerprint: string, signal: AbortSignal): Promise<void> {
    const { file, logger } = this.#options;
    let previous = initialFingerprint;
    while (!isAborted(signal)) {
      await this.#watcher.waitForChange(CHECK_INTERVAL_MS, signal);
      const fingerprint = await fileFingerprint(file);
      if (isAborted(signal) || fingerprint === previous) continue;
      previous = fingerprint;
      try {
        this.#replace(await readTokenFile(file));
      } catch (error) {
        const isMissing = error instanceof TokenFileError && error.isMissing;
        logger.error(
          { error: errorMessage(error) },
          isMissing
            ? 'token file deleted, all tokens are revoked'
            : 'token file is invalid, the previous tokens stay valid',
        );
        if (isMissing) this.#replace([]);
      }
    }
  }

  #replace(tokens: readonly StoredToken[]): void {
    this.#entries = createEntries(tokens, this.#entries);
    this.#viewers = toViewers(this.#entries);
    this.#options.logger.info({ tokens: tokens.length }, 'tokens changed');
    this.#onChange();
  }
}

function createEntries(
  tokens: readonly StoredToken[],
  previous: ReadonlyMap<string, Entry>,
): ReadonlyMap<string, Entry> {
  return new Map(
    tokens.map((token) => {
      const existing = previous.get(token.id);
      const isUnchanged = existing !== undefined && isDeepStrictEqual(existing.token, token);
      return [token.id, isUnchanged ? existing : createEntry(token)];
    }),
  );
}

function createEntry(token: StoredToken): Entry {
  const { id, permissions, restriction, expiresAt } = token;
  const expiresAtMs = expiresAt === null ? null : Date.parse(expiresAt);
  return { token, viewer: createViewer({ subject: `token:${id}`, permissions, restriction, expiresAtMs }) };
}

function toViewers(entries: ReadonlyMap<string, Entry>): ReadonlySet<Viewer> {
  return new Set([...entries.values()].map(({ viewer }) => viewer));
}
