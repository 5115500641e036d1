import { isDeepStrictEqual } from 'node:util';
import { type Clock, FileWatcher, fileFingerprint, errorMessage, type Logger, isAborted } from '../shared/index.js';
import { unauthenticatedError } from './bearer-token.js';
import { verifySecret, parseStaticToken } from './static-token.js';
import { readTokenFile, type StoredToken, TokenFileError } from './token-file.js';
import { createViewer, type Viewer } from './viewer.js';

/** Between two looks at the file: a token that is revoked there is to be so within a second. */
const LOOK_MS = 500;

export interface StaticTokenStoreOptions {
  readonly file: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface Entry {
  readonly token: StoredToken;
  /** The same as long as the token is. */
  readonly viewer: Viewer;
}

/**
 * The tokens of a file, as they stand there now. A file that is wrong changes nothing, as a mistake in it must not shut
 * everybody out; one that has been taken away takes all tokens with it.
 */
export class StaticTokenStore implements AsyncDisposable {
  readonly #options: StaticTokenStoreOptions;
  readonly #onChange: () => void;
  readonly #stop = new AbortController();
  readonly #changes: FileWatcher;
  #entries: ReadonlyMap<string, Entry>;
  #viewers: ReadonlySet<Viewer>;
  readonly #running: Promise<void>;

  private constructor(
    options: StaticTokenStoreOptions,
    seen: string,
    tokens: readonly StoredToken[],
    onChange: () => void,
  ) {
    const { file, clock, logger } = options;
    this.#options = options;
    this.#onChange = onChange;
    this.#entries = entriesOf(tokens, new Map());
    this.#viewers = viewersOf(this.#entries);
    this.#changes = new FileWatcher(file, clock, (error) =>
      logger.debug({ error: errorMessage(error) }, 'the file system tells of no changes'),
    );
    this.#running = this.#run(seen, this.#stop.signal);
  }

  /**
   * @param onChange called after the tokens have changed
   * @throws TokenFileError
   */
  static async open(options: StaticTokenStoreOptions, onChange: () => void): Promise<StaticTokenStore> {
    const mark = await fileFingerprint(options.file);
    return new StaticTokenStore(options, mark, await readTokenFile(options.file), onChange);
  }

  /** @throws SwarmlensError UNAUTHENTICATED, in the same words for one that never was and one that was revoked */
  verify(text: string): Viewer {
    const parts = parseStaticToken(text);
    const entry = parts && this.#entries.get(parts.id);
    if (parts == null || entry == null || !verifySecret(entry.token.hash, parts.secret)) {
      throw unauthenticatedError('The token is not known: it was never made here, or it has been revoked.');
    }
    const { expiresAtMs } = entry.viewer;
    if (expiresAtMs !== null && expiresAtMs <= this.#options.clock.now())
      throw unauthenticatedError('The token has expired.');
    return entry.viewer;
  }

  /** Whether a viewer of `verify` is still what its token makes of it. */
  isCurrent(viewer: Viewer): boolean {
    return this.#viewers.has(viewer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    this.#changes[Symbol.dispose]();
    await this.#running;
  }

  async #run(first: string, signal: AbortSignal): Promise<void> {
    const { file, logger } = this.#options;
    let seen = first;
    while (!isAborted(signal)) {
      await this.#changes.waitForChange(LOOK_MS, signal);
      const mark = await fileFingerprint(file);
      if (isAborted(signal) || mark === seen) continue;
      seen = mark;
      try {
        this.#replace(await readTokenFile(file));
      } catch (error) {
        const isMissing = error instanceof TokenFileError && error.isMissing;
        logger.error(
          { error: errorMessage(error) },
          isMissing ? 'all tokens are revoked' : 'the tokens stay as they were: revoking one there has no effect yet',
        );
        if (isMissing) this.#replace([]);
      }
    }
  }

  #replace(tokens: readonly StoredToken[]): void {
    this.#entries = entriesOf(tokens, this.#entries);
    this.#viewers = viewersOf(this.#entries);
    this.#options.logger.info({ tokens: tokens.length }, 'the tokens have changed');
    this.#onChange();
  }
}

function entriesOf(tokens: readonly StoredToken[], before: ReadonlyMap<string, Entry>): ReadonlyMap<string, Entry> {
  return new Map(
    tokens.map((token) => {
      const old = before.get(token.id);
      return [token.id, isDeepStrictEqual(old?.token, token) && old !== undefined ? old : entryOf(token)];
    }),
  );
}

function entryOf(token: StoredToken): Entry {
  const { id, permissions, restriction, expiresAt } = token;
  const expiresAtMs = expiresAt === null ? null : Date.parse(expiresAt);
  return { token, viewer: createViewer({ subject: `token:${id}`, permissions, restriction, expiresAtMs }) };
}

function viewersOf(entries: ReadonlyMap<string, Entry>): ReadonlySet<Viewer> {
  return new Set([...entries.values()].map(({ viewer }) => viewer));
}
