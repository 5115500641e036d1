import { createPublicKey, createSecretKey } from 'node:crypto';
import type * as Jose from 'jose';
import { type Clock, errorMessage, SwarmlensError, type Logger } from '../shared/index.js';
import { unauthenticatedError } from './bearer-token.js';
import { parsePermissions, parseRestriction, parseSubject } from './jwt-claims.js';
import { createViewer, type Viewer } from './viewer.js';

/** By what a JWT may be signed: with a secret that both know, or with a key of which we know the public half. */
export const HMAC_ALGORITHMS = ['HS256', 'HS384', 'HS512'] as const;
export const ASYMMETRIC_ALGORITHMS = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA'],
] as const;

export interface JwtOptions {
  readonly issuer: string;
  readonly audience: readonly string[];
  /** Nothing else is let in, whatever a token says of itself. */
  readonly algorithms: readonly string[];
  readonly key: JwtKey;
  /** The claim with the permissions; `null`: `scope`, or else `permissions`. */
  readonly scopeClaim: string | null;
  /** How far the issuer's clock may be from ours. */
  readonly clockToleranceSeconds: number;
}

export type JwtKey =
  | { readonly kind: 'secret'; readonly secret: string }
  /** PEM. */
  | { readonly kind: 'public'; readonly pem: string }
  /** Keys are fetched when they are needed, kept for ten minutes, and fetched again for a key id that is not among them. */
  | { readonly kind: 'jwks'; readonly url: string; readonly cooldownMs: number };

export interface JwtDeps {
  readonly clock: Clock;
  readonly logger: Logger;
}

const JWKS_TIMEOUT_MS = 5_000;

/** What went wrong with the keys, and not with the token. */
const KEYS_FAILED: ReadonlySet<string> = new Set(['ERR_JOSE_GENERIC', 'ERR_JWKS_TIMEOUT', 'ERR_JWKS_INVALID']);

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
    this.#key = keyFinder(options.key, jose);
  }

  /** The library is loaded only by those who have configured it. */
  static async load(options: JwtOptions, deps: JwtDeps): Promise<JwtVerifier> {
    return new JwtVerifier(options, deps, await import('jose'));
  }

  /** @throws SwarmlensError UNAUTHENTICATED, or SERVER_UNAVAILABLE when the keys cannot be fetched */
  async verify(token: string): Promise<Viewer> {
    const { scopeClaim, clockToleranceSeconds } = this.#options;
    const claims = await this.#verified(token);
    const { exp = 0, iat } = claims;
    if (iat !== undefined && iat * 1000 > this.#deps.clock.now() + clockToleranceSeconds * 1000) {
      throw unauthenticatedError('The token is not valid yet: it was issued in the future.');
    }
    return createViewer({
      subject: parseSubject(claims.sub),
      permissions: parsePermissions(claims, scopeClaim),
      restriction: parseRestriction(claims['swarmlens']),
      // Not later than the moment from which on it would be refused.
      expiresAtMs: (exp + clockToleranceSeconds) * 1000,
    });
  }

  async #verified(token: string): Promise<Jose.JWTPayload> {
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
      throw this.#refusal(error);
    }
  }

  #refusal(error: unknown): SwarmlensError {
    const { errors } = this.#jose;
    if (!(error instanceof errors.JOSEError) || KEYS_FAILED.has(error.code)) {
      this.#deps.logger.error(
        { error: errorMessage(error) },
        'the keys that tokens are verified with cannot be fetched',
      );
      return new SwarmlensError('SERVER_UNAVAILABLE', 'The token cannot be verified now: try again later.');
    }
    this.#deps.logger.debug({ code: error.code }, 'a token was refused');
    if (error instanceof errors.JWTExpired) return unauthenticatedError('The token has expired.');
    if (!(error instanceof errors.JWTClaimValidationFailed)) return unauthenticatedError('The token is not valid.');
    return unauthenticatedError(WRONG_CLAIMS[error.claim] ?? 'The token is not valid.');
  }
}

function keyFinder(key: JwtKey, { createRemoteJWKSet }: typeof Jose): Jose.JWTVerifyGetKey {
  if (key.kind === 'jwks') {
    return createRemoteJWKSet(new URL(key.url), {
      cooldownDuration: key.cooldownMs,
      timeoutDuration: JWKS_TIMEOUT_MS,
    });
  }
  const object = key.kind === 'secret' ? createSecretKey(key.secret, 'utf8') : createPublicKey(key.pem);
  return () => object;
}

const WRONG_CLAIMS: Readonly<Record<string, string>> = {
  aud: 'The token is meant for another audience.',
  exp: 'The token does not say when it expires ("exp").',
  iss: 'The token was made by another issuer.',
  nbf: 'The token is not valid yet.',
};
