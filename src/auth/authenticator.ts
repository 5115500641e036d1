import type { Clock, Logger } from '../shared/index.js';
import { parseBearerToken, unauthenticatedError } from './bearer-token.js';
import { type JwtOptions, JwtVerifier } from './jwt.js';
import { TokenExpiryMonitor } from './token-expiry-monitor.js';
import { StaticTokenStore } from './static-token-store.js';
import { TOKEN_PREFIX } from './static-token.js';
import { ANONYMOUS_VIEWER, type Viewer } from './viewer.js';

/** Options of the authentication. At least one of the two is configured. */
export interface AuthOptions {
  /** Absolute path of the file with the static tokens. */
  readonly tokens: string | null;
  readonly jwt: JwtOptions | null;
}

export interface AuthDeps {
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Identifies the viewer of a request over HTTP, SSE or WebSocket. */
export interface Authenticator extends AsyncDisposable {
  /** Whether requests need a token. */
  readonly isRequired: boolean;
  /**
   * Verifies a token and returns its viewer.
   * @param authorization value of an `Authorization` header or of `connection_init`: `Bearer <token>`
   * @throws SwarmlensError UNAUTHENTICATED if the token is rejected, SERVER_UNAVAILABLE if it cannot be verified now
   */
  authenticate(authorization: string | null): Promise<Viewer>;
  /**
   * Calls `onExpired` once when the token of a viewer expires, is revoked or changes, or immediately if it already has.
   * Disposing the result unsubscribes.
   */
  watch(viewer: Viewer, onExpired: (reason: string) => void): Disposable;
}

/** Authenticator that accepts every request and ignores tokens. */
export const anonymousAuthenticator: Authenticator = {
  isRequired: false,
  authenticate: () => Promise.resolve(ANONYMOUS_VIEWER),
  watch: () => ({ [Symbol.dispose]: () => undefined }),
  [Symbol.asyncDispose]: () => Promise.resolve(),
};

/** Creates the authenticator. Accepts every request if `options` is null. @throws TokenFileError */
export async function createAuthenticator(options: AuthOptions | null, deps: AuthDeps): Promise<Authenticator> {
  if (options === null) return anonymousAuthenticator;
  const jwt = options.jwt && (await JwtVerifier.load(options.jwt, deps));
  return TokenAuthenticator.open(options.tokens, jwt, deps);
}

class TokenAuthenticator implements Authenticator {
  readonly isRequired = true;
  readonly #jwt: JwtVerifier | null;
  readonly #expiry: TokenExpiryMonitor;
  #tokens: StaticTokenStore | null = null;
  /** Viewers of static tokens, the only ones that can be revoked. */
  readonly #revocable = new WeakSet<Viewer>();

  private constructor(jwt: JwtVerifier | null, { clock }: AuthDeps) {
    this.#jwt = jwt;
    this.#expiry = new TokenExpiryMonitor(clock, (viewer) => this.#isRevoked(viewer));
  }

  static async open(file: string | null, jwt: JwtVerifier | null, deps: AuthDeps): Promise<TokenAuthenticator> {
    const authenticator = new TokenAuthenticator(jwt, deps);
    if (file !== null) {
      const onChange = (): void => authenticator.#expiry.checkAll();
      authenticator.#tokens = await StaticTokenStore.open({ file, ...deps }, onChange);
    }
    return authenticator;
  }

  async authenticate(authorization: string | null): Promise<Viewer> {
    const token = parseBearerToken(authorization);
    if (this.#tokens !== null && (this.#jwt === null || token.startsWith(TOKEN_PREFIX))) {
      const viewer = this.#tokens.verify(token);
      this.#revocable.add(viewer);
      return viewer;
    }
    if (this.#jwt === null) throw unauthenticatedError('Unknown token. Create a token with "swarmlens token create".');
    return await this.#jwt.verify(token);
  }

  watch(viewer: Viewer, onExpired: (reason: string) => void): Disposable {
    return this.#expiry.watch(viewer, onExpired);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#expiry[Symbol.dispose]();
    await this.#tokens?.[Symbol.asyncDispose]();
  }

  #isRevoked(viewer: Viewer): boolean {
    return this.#revocable.has(viewer) && this.#tokens?.isCurrent(viewer) === false;
  }
}
