import { createPublicKey, createSecretKey } from 'node:crypto';
import type * as Jose from 'jose';
import { type Clock, errorMessage, SwarmlensError, type Logger } from '../shared/index.js';
import { unauthenticatedError } from './bearer-token.js';
import { parsePermissions, parseRestriction, parseSubject } from './jwt-claims.js';
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
  /** Key set by URL. Keys are fetched on first use, cached for ten minutes, and fetched again for an unknown key id. */
  | { readonly kind: 'jwks'; readonly url: string; readonly cooldownMs: number };

export interface JwtDeps {
  readonly clock: Clock;
  readonly logger: Logger;
}

const JWKS_TIMEOUT_MS = 5_000;

/** Error codes of jose that concern the key set instead of the token. */
const KEY_SET_ERRORS: ReadonlySet<string> = new Set(['ERR_JOSE_GENERIC', 'ERR_JWKS_TIMEOUT', 'ERR_JWKS_INVALID']);

/** Verifies JSON Web Tokens (RFC 7519). */
export class JwtVerifier {
  readonly #options: JwtOptions;
  readonly #deps: JwtDeps;
  readonly #jose: typeof Jose;
  readonly #key: Jose.JWTVerifyGetKey;

  private constructor(options: JwtOptions, deps: JwtDeps, jose: typeof Jose) {
    this.#options = options;
    this.#deps = deps;
    this.#jose = jose;
    this.#key = createKeyLookup(options.key, jose);
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
    if (iat !== undefined && iat * 1000 > this.#deps.clock.now() + clockToleranceSeconds * 1000) {
      throw unauthenticatedError('The token is not valid yet. Its "iat" is in the future.');
    }
    return createViewer({
      subject: parseSubject(claims.sub),
      permissions: parsePermissions(claims, scopeClaim),
      restriction: parseRestriction(claims['swarmlens']),
      // The moment from which the token would be rejected.
      expiresAtMs: (exp + clockToleranceSeconds) * 1000,
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
    if (!(error instanceof errors.JOSEError) || KEY_SET_ERRORS.has(error.code)) {
      this.#deps.logger.error({ error: errorMessage(error) }, 'fetching the keys for token verification failed');
      return new SwarmlensError('SERVER_UNAVAILABLE', 'The token cannot be verified now. Retry later.');
    }
    this.#deps.logger.debug({ code: error.code }, 'token rejected');
    if (error instanceof errors.JWTExpired) return unauthenticatedError('The token has expired.');
    if (!(error instanceof errors.JWTClaimValidationFailed)) return unauthenticatedError('Invalid token.');
    return unauthenticatedError(CLAIM_ERRORS[error.claim] ?? 'Invalid token.');
  }
}

function createKeyLookup(key: JwtKey, { createRemoteJWKSet }: typeof Jose): Jose.JWTVerifyGetKey {
  if (key.kind === 'jwks') {
    return createRemoteJWKSet(new URL(key.url), {
      cooldownDuration: key.cooldownMs,
      timeoutDuration: JWKS_TIMEOUT_MS,
    });
  }
  const object = key.kind === 'secret' ? createSecretKey(key.secret, 'utf8') : createPublicKey(key.pem);
  return () => object;
}

const CLAIM_ERRORS: Readonly<Record<string, string>> = {
  aud: 'The token is for another audience ("aud").',
  exp: 'The token has no expiry ("exp").',
  iss: 'The token is from another issuer ("iss").',
  nbf: 'The token is not valid yet ("nbf").',
};
