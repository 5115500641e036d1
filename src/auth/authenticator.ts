import type { Clock, Logger } from '../shared/index.js';
import { parseBearerToken, unauthenticatedError } from './bearer-token.js';
import { type JwtOptions, JwtVerifier } from './jwt.js';
import { TokenExpiryMonitor } from './token-expiry-monitor.js';
import { StaticTokenStore } from './static-token-store.js';
import { TOKEN_PREFIX } from './static-token.js';
import { ANONYMOUS_VIEWER, type Viewer } from './viewer.js';

/** How it is found out who somebody is. At least one of the two is there. */
export interface AuthOptions {
  /** The file with the static tokens; absolute. */
  readonly tokens: string | null;
  readonly jwt: JwtOptions | null;
}

export interface AuthDeps {
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Tells who asks: the one way for HTTP, SSE, WebSocket and whatever else lets somebody in. */
export interface Authenticator extends AsyncDisposable {
  /** Whether anybody has to say who they are. */
  readonly isRequired: boolean;
  /**
   * @param authorization what an `Authorization` header or its counterpart says: `Bearer <token>`
   * @throws SwarmlensError UNAUTHENTICATED, or SERVER_UNAVAILABLE when it cannot be found out now
   */
  authenticate(authorization: string | null): Promise<Viewer>;
  /** Calls back once when the viewer's token expires, is revoked or changes – at once if it has; dispose to stop. */
  watch(viewer: Viewer, onEnd: (reason: string) => void): Disposable;
}

/** Lets everybody in; what they show is not looked at. */
export const anonymousAuthenticator: Authenticator = {
  isRequired: false,
  authenticate: () => Promise.resolve(ANONYMOUS_VIEWER),
  watch: () => ({ [Symbol.dispose]: () => undefined }),
  [Symbol.asyncDispose]: () => Promise.resolve(),
};

/** @throws TokenFileError */
export async function createAuthenticator(options: AuthOptions | null, deps: AuthDeps): Promise<Authenticator> {
  if (options === null) return anonymousAuthenticator;
  const jwt = options.jwt && (await JwtVerifier.load(options.jwt, deps));
  return TokenAuthenticator.open(options.tokens, jwt, deps);
}

class TokenAuthenticator implements Authenticator {
  readonly isRequired = true;
  readonly #jwt: JwtVerifier | null;
  readonly #lifetimes: TokenExpiryMonitor;
  #tokens: StaticTokenStore | null = null;
  /** The viewers of static tokens: only they can be revoked. */
  readonly #revocable = new WeakSet<Viewer>();

  private constructor(jwt: JwtVerifier | null, { clock }: AuthDeps) {
    this.#jwt = jwt;
    this.#lifetimes = new TokenExpiryMonitor(clock, (viewer) => this.#isRevoked(viewer));
  }

  static async open(file: string | null, jwt: JwtVerifier | null, deps: AuthDeps): Promise<TokenAuthenticator> {
    const made = new TokenAuthenticator(jwt, deps);
    if (file !== null) made.#tokens = await StaticTokenStore.open({ file, ...deps }, () => made.#lifetimes.checkAll());
    return made;
  }

  async authenticate(authorization: string | null): Promise<Viewer> {
    const token = parseBearerToken(authorization);
    if (this.#tokens !== null && (this.#jwt === null || token.startsWith(TOKEN_PREFIX))) {
      const viewer = this.#tokens.verify(token);
      this.#revocable.add(viewer);
      return viewer;
    }
    if (this.#jwt === null) throw unauthenticatedError('The token is not known.');
    return await this.#jwt.verify(token);
  }

  watch(viewer: Viewer, onEnd: (reason: string) => void): Disposable {
    return this.#lifetimes.watch(viewer, onEnd);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#lifetimes[Symbol.dispose]();
    await this.#tokens?.[Symbol.asyncDispose]();
  }

  #isRevoked(viewer: Viewer): boolean {
    return this.#revocable.has(viewer) && this.#tokens?.isCurrent(viewer) === false;
  }
}
