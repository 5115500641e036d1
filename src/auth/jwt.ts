import { createPublicKey, createSecretKey } from 'node:crypto';
import type * as Jose from 'jose';
import { type Clock, errorMessage, SwarmlensError, type Logger } from '../shared/index.js';
import { unauthenticatedError } from './bearer-token.js';
import { parsePermissions, parseRestriction, parseSubject } from './jwt-claims.js';
import { KeySetUnavailableError, RemoteKeySet } from './remote-key-set.js';
import { createViewer, type Viewer } from './viewer.js';

/** Algorithms of JWTs that are signed with a shared secret. */
export const HMAC_ALGORITHMS = ['HS256', 'HS384', 'HS512'] as const;
/** Algorithms of JWTs that are signed with a private key and verified with its public key. */
export const ASYMMETRIC_ALGORITHMS = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA'],
] as const;

export interface JwtOptions {
  readonly issuer: string;
  readonly audience: readonly string[];
  /** Accepted algorithms. Tokens with another algorithm in their header are rejected. */
  readonly algorithms: readonly string[];
  readonly key: JwtKey;
  /** Name of the claim with the permissions. Null for `scope`, or `permissions` if there is no `scope`. */
  readonly scopeClaim: string | null;
  /** Accepted difference between the clock of the issuer and the local clock. */
  readonly clockToleranceSeconds: number;
}

export type JwtKey =
  | { readonly kind: 'secret'; readonly secret: string }
  /** Public key in PEM format. */
  | { readonly kind: 'public'; readonly pem: string }
  /** Key set by URL. */
  | { readonly kind: 'jwks'; readonly url: string; readonly cooldownMs: number };

export interface JwtDeps {
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Latest expiry, in seconds since the epoch: the end of the year 9999, the last year that a timestamp can express. */
const MAX_EXPIRY_SECONDS = 253_402_300_799;

/** Verifies JSON Web Tokens (RFC 7519). */
export class JwtVerifier {
  readonly #options: JwtOptions;
  readonly #deps: JwtDeps;
  readonly #jose: typeof Jose;
  readonly #key: Jose.JWTVerifyGetKey;
  /** Last unexpected error that was logged. */
  #loggedFailure: string | null = null;

  private constructor(options: JwtOptions, deps: JwtDeps, jose: typeof Jose) {
    this.#options = options;
    this.#deps = deps;
    this.#jose = jose;
    this.#key = createKeyLookup(options.key, deps, jose);
  }

  /** Creates a verifier. The library jose is loaded only if JWTs are configured. */
  static async load(options: JwtOptions, deps: JwtDeps): Promise<JwtVerifier> {
    return new JwtVerifier(options, deps, await import('jose'));
  }

  /**
   * Verifies a token and returns its viewer.
   * @throws SwarmlensError UNAUTHENTICATED if the token is rejected, SERVER_UNAVAILABLE if the keys cannot be fetched
   */
  async verify(token: string): Promise<Viewer> {
    const { scopeClaim, clockToleranceSeconds } = this.#options;
    const claims = await this.#verifyClaims(token);
    const { exp = 0, iat } = claims;
    // A timestamp could not express a later one. Milliseconds instead of seconds are a common mistake.
    if (exp > MAX_EXPIRY_SECONDS) {
      throw unauthenticatedError('Invalid claim "exp" in the token. It must be in seconds, before the year 10000.');
    }
    if (iat !== undefined && iat * 1000 > this.#deps.clock.now() + clockToleranceSeconds * 1000) {
      throw unauthenticatedError('The token is not valid yet. Its "iat" is in the future.');
    }
    // The moment from which the token would be rejected.
    const expiresAtMs = (exp + clockToleranceSeconds) * 1000;
    // jose compares whole seconds.
    if (expiresAtMs <= this.#deps.clock.now()) throw unauthenticatedError('The token has expired.');
    return createViewer({
      subject: parseSubject(claims.sub),
      permissions: parsePermissions(claims, scopeClaim),
      restriction: parseRestriction(claims['swarmlens']),
      expiresAtMs,
    });
  }

  async #verifyClaims(token: string): Promise<Jose.JWTPayload> {
    const { issuer, audience, algorithms, clockToleranceSeconds } = this.#options;
    const options = {
      issuer,
      audience: [...audience],
      algorithms: [...algorithms],
      clockTolerance: clockToleranceSeconds,
      requiredClaims: ['exp'],
      currentDate: new Date(this.#deps.clock.now()),
    };
    try {
      return (await this.#jose.jwtVerify(token, this.#key, options)).payload;
    } catch (error) {
      throw this.#toSwarmlensError(error);
    }
  }

  #toSwarmlensError(error: unknown): SwarmlensError {
    const { errors } = this.#jose;
    if (error instanceof KeySetUnavailableError) {
      return new SwarmlensError('SERVER_UNAVAILABLE', 'The token cannot be verified now. Retry later.');
    }
    if (!(error instanceof errors.JOSEError)) {
      // A client can choose a defective key of a key set again and again.
      const message = errorMessage(error);
      if (message !== this.#loggedFailure) this.#deps.logger.error({ error: message }, 'token verification failed');
      this.#loggedFailure = message;
      return new SwarmlensError('SERVER_UNAVAILABLE', 'The token cannot be verified now. Retry later.');
    }
    this.#deps.logger.debug({ code: error.code }, 'token rejected');
    if (error instanceof errors.JWTExpired) return unauthenticatedError('The token has expired.');
    if (!(error instanceof errors.JWTClaimValidationFailed)) return unauthenticatedError('Invalid token.');
    if (error.reason === 'invalid' && NUMBER_CLAIMS.has(error.claim)) {
      return unauthenticatedError(`Invalid claim "${error.claim}" in the token. It must be a number of seconds.`);
    }
    return unauthenticatedError(CLAIM_ERRORS[error.claim] ?? 'Invalid token.');
  }
}

function createKeyLookup(key: JwtKey, deps: JwtDeps, jose: typeof Jose): Jose.JWTVerifyGetKey {
  if (key.kind === 'jwks') return new RemoteKeySet(key, deps, jose).find;
  const object = key.kind === 'secret' ? createSecretKey(key.secret, 'utf8') : createPublicKey(key.pem);
  return () => object;
}

const NUMBER_CLAIMS: ReadonlySet<string> = new Set(['exp', 'nbf', 'iat']);

const CLAIM_ERRORS: Readonly<Record<string, string>> = {
  aud: 'The token is for another audience ("aud").',
  exp: 'The token has no expiry ("exp").',
  iss: 'The token is from another issuer ("iss").',
  nbf: 'The token is not valid yet ("nbf").',
};
