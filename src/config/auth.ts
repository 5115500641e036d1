import { createPublicKey, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { z } from 'zod';
import {
  type AuthOptions,
  type JwtKey,
  type JwtOptions,
  ASYMMETRIC_ALGORITHMS,
  readTokenFile,
  HMAC_ALGORITHMS,
  TokenFileError,
} from '../auth/index.js';
import { isLoopbackHost } from '../shared/index.js';

const ALGORITHMS = [...HMAC_ALGORITHMS, ...ASYMMETRIC_ALGORITHMS];
const ALGORITHMS_ERROR = `expected a list of signature algorithms out of ${ALGORITHMS.join(', ')}`;
const ORIGIN_ERROR = 'expected an origin such as https://swarm.example, without a path';
const HEADER_ERROR = 'expected the name of a request header such as x-tenant';
const JWKS_ERROR = 'expected a URL with https://, or with http:// to a loopback address';
const TOLERANCE_ERROR = 'expected seconds, a whole number from 0 to 300';

/** Minimum time in milliseconds between two requests for the keys of the issuer, because tokens may have any key id. */
const JWKS_COOLDOWN_MS = 30_000;

const nonEmptyText = z.string().min(1);

const jwtSchema = z.strictObject({
  issuer: nonEmptyText.describe('Required value of `iss`.'),
  audience: z
    .union([nonEmptyText, z.array(nonEmptyText).min(1)], { error: 'expected text or a list of texts' })
    .describe('Required value of `aud`, or a list of accepted values.'),
  algorithms: z
    .array(z.enum(ALGORITHMS, { error: ALGORITHMS_ERROR }), { error: ALGORITHMS_ERROR })
    .min(1, { error: ALGORITHMS_ERROR })
    .describe('Accepted signature algorithms: `HS…` with `secret`, the others with `publicKey` or `jwksUrl`.'),
  secret: z
    .string()
    .optional()
    .describe(
      'Secret of the `HS…` algorithms, at least as long as the hash: 32 bytes for HS256. Use `${VAR}` to keep it out of the file. Exactly one of `secret`, `publicKey` and `jwksUrl` is required.',
    ),
  publicKey: nonEmptyText.optional().describe('Public key of the issuer as PEM, or the path of a PEM file.'),
  jwksUrl: z
    .string()
    .refine(isSafeUrl, { error: JWKS_ERROR })
    .optional()
    .describe("URL of the issuer's key set. An unknown key id causes at most one request in 30 seconds."),
  scopeClaim: nonEmptyText
    .optional()
    .describe(
      'Claim that contains the scopes, as text or a list. By default `scope`, or `permissions` if there is none.',
    ),
  clockToleranceSeconds: z
    .int({ error: TOLERANCE_ERROR })
    .min(0, { error: TOLERANCE_ERROR })
    .max(300, { error: TOLERANCE_ERROR })
    .default(0)
    .describe('Maximum difference between the clocks of the issuer and of this machine, in seconds.'),
});

/** Schema of `swarmlens.auth`. */
export const authSchema = z.strictObject({
  tokens: nonEmptyText
    .optional()
    .describe('Path of the token file, relative to the configuration file. See `swarmlens token --help`.'),
  jwt: jwtSchema.optional().describe('JSON Web Tokens.'),
  origins: z
    .array(z.string().refine(isOrigin, { error: ORIGIN_ERROR }))
    .default([])
    .describe(
      "Origins of pages that may use the server through CORS and WebSocket, in addition to the server's own pages.",
    ),
  allowHeaders: z
    .array(
      z
        .string()
        .regex(/^[\w!#$%&'*+.^`|~-]{1,100}$/, { error: HEADER_ERROR })
        .toLowerCase(),
      { error: HEADER_ERROR },
    )
    .max(100)
    .default([])
    .describe(
      'Names of request headers that pages of `origins` may send, in addition to those of common GraphQL clients and tracing libraries.',
    ),
});

type JwtConfig = z.output<typeof jwtSchema>;

export const AUTH_KEYS: readonly string[] = [...Object.keys(authSchema.shape), ...Object.keys(jwtSchema.shape)];

function isOrigin(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : null;
  return url?.origin === text && /^https?:$/.test(url.protocol);
}

/** Returns whether the URL protects the keys from modification in transit, which would allow forged tokens. */
function isSafeUrl(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url?.username !== '' || url.password !== '') return false;
  // A name below `.localhost` may resolve to another machine.
  const isLocal = isLoopbackHost(url.hostname) && !url.hostname.endsWith('.localhost');
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLocal);
}

/**
 * Reads the keys and files that the options name. Returns null if clients need no token.
 * @param directory Directory of the configuration file, which paths are relative to.
 */
export async function resolveAuth(
  { tokens, jwt }: Pick<z.output<typeof authSchema>, 'tokens' | 'jwt'>,
  directory: string,
  problems: string[],
): Promise<AuthOptions | null> {
  if (tokens === undefined && jwt === undefined) return null;
  const file = tokens === undefined ? null : resolve(directory, tokens);
  if (file !== null) problems.push(...(await tokenFileProblems(file)));
  return { tokens: file, jwt: jwt === undefined ? null : await resolveJwt(jwt, directory, problems) };
}

async function tokenFileProblems(file: string): Promise<string[]> {
  try {
    await readTokenFile(file);
    return [];
  } catch (error) {
    if (error instanceof TokenFileError) return [`swarmlens.auth.tokens: ${error.message}`];
    throw error;
  }
}

async function resolveJwt(jwt: JwtConfig, directory: string, problems: string[]): Promise<JwtOptions | null> {
  const key = await resolveKey(jwt, directory, problems);
  if (key === null) return null;
  const { issuer, audience, algorithms, scopeClaim = null, clockToleranceSeconds } = jwt;
  return { issuer, audience: [audience].flat(), algorithms, key, scopeClaim, clockToleranceSeconds };
}

async function resolveKey(jwt: JwtConfig, directory: string, problems: string[]): Promise<JwtKey | null> {
  const { secret, publicKey, jwksUrl, algorithms } = jwt;
  const reject = (key: string, reason: string): null => {
    problems.push(`swarmlens.auth.jwt${key}: ${reason}`);
    return null;
  };
  if ([secret, publicKey, jwksUrl].filter((value) => value !== undefined).length !== 1) {
    return reject('', 'expected one of "secret", "publicKey" and "jwksUrl"');
  }
  const unfit = algorithms.filter((algorithm) => algorithm.startsWith('HS') !== (secret !== undefined));
  if (unfit.length > 0) {
    const expected = secret === undefined ? ASYMMETRIC_ALGORITHMS : HMAC_ALGORITHMS;
    const keyKind = secret === undefined ? 'a public key' : 'a secret';
    return reject(
      '.algorithms',
      `${unfit.join(', ')} cannot be used with ${keyKind} – expected ${expected.join(', ')}`,
    );
  }
  if (secret !== undefined) {
    const bytes = Math.max(...algorithms.map((algorithm) => Number(algorithm.slice(2)) / 8));
    if (Buffer.byteLength(secret) >= bytes) return { kind: 'secret', secret };
    return reject('.secret', `is too short for ${algorithms.join(', ')} – expected at least ${bytes} random bytes`);
  }
  if (jwksUrl !== undefined) return { kind: 'jwks', url: jwksUrl, cooldownMs: JWKS_COOLDOWN_MS };
  const pem = await readPem(publicKey ?? '', directory);
  if (pem === null)
    return reject('.publicKey', 'cannot be read – expected a PEM public key, or the path of a PEM file');
  if (pem.includes('PRIVATE KEY')) return reject('.publicKey', 'is a private key – expected the public key');
  const issue = publicKeyIssue(pem, algorithms);
  return issue === null ? { kind: 'public', pem } : reject('.publicKey', issue);
}

async function readPem(text: string, directory: string): Promise<string | null> {
  if (text.includes('-----BEGIN ')) return text;
  return await readFile(resolve(directory, text), 'utf8').catch(() => null);
}

/** Returns why a key cannot be used with the algorithms. Null if it can. */
function publicKeyIssue(pem: string, algorithms: readonly string[]): string | null {
  let key: KeyObject;
  try {
    key = createPublicKey(pem);
  } catch {
    return 'is not a PEM public key';
  }
  const unfit = algorithms.find((algorithm) => !isKeyFor(key, algorithm));
  if (unfit !== undefined) return `is not a key for ${unfit} – its type is ${key.asymmetricKeyType ?? 'unknown'}`;
  const bits = key.asymmetricKeyDetails?.modulusLength;
  return bits !== undefined && bits < 2048 ? `has ${bits} bits – expected at least 2048` : null;
}

const CURVES: Readonly<Record<string, string>> = { ES256: 'prime256v1', ES384: 'secp384r1', ES512: 'secp521r1' };

function isKeyFor({ asymmetricKeyType: type, asymmetricKeyDetails }: KeyObject, algorithm: string): boolean {
  if (algorithm === 'EdDSA') return type === 'ed25519';
  if (algorithm.startsWith('ES')) return type === 'ec' && asymmetricKeyDetails?.namedCurve === CURVES[algorithm];
  return type === 'rsa';
}
