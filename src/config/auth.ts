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

const ALGORITHMS = [...HMAC_ALGORITHMS, ...ASYMMETRIC_ALGORITHMS];
const ALGORITHMS_ERROR = `expected a list of the algorithms that tokens are signed with, of ${ALGORITHMS.join(', ')}`;
const ORIGIN_ERROR = 'expected an origin as a browser sends it, such as https://swarm.example';
const JWKS_ERROR = 'expected a URL with https://, or with http:// to this machine';
const TOLERANCE_ERROR = 'expected seconds, a whole number from 0 to 300';

/** The issuer is asked for its keys no more often than this, whatever key ids tokens make up. */
const JWKS_COOLDOWN_MS = 30_000;

const TEXT = z.string().min(1);

const JWT = z.strictObject({
  issuer: TEXT,
  audience: z.union([TEXT, z.array(TEXT).min(1)], { error: 'expected text or a list of texts' }),
  algorithms: z.array(z.enum(ALGORITHMS, { error: ALGORITHMS_ERROR }), { error: ALGORITHMS_ERROR }).min(1, {
    error: ALGORITHMS_ERROR,
  }),
  secret: z.string().optional(),
  publicKey: TEXT.optional(),
  jwksUrl: z.string().refine(isSafeUrl, { error: JWKS_ERROR }).optional(),
  scopeClaim: TEXT.optional(),
  clockToleranceSeconds: z
    .int({ error: TOLERANCE_ERROR })
    .min(0, { error: TOLERANCE_ERROR })
    .max(300, {
      error: TOLERANCE_ERROR,
    })
    .optional(),
});

/** What may stand under `swarmlens.auth`. */
export const authSchema = z.strictObject({
  tokens: TEXT.optional(),
  jwt: JWT.optional(),
  origins: z.array(z.string().refine(isOrigin, { error: ORIGIN_ERROR })).optional(),
});

export const AUTH_KEYS: readonly string[] = [...Object.keys(authSchema.shape), ...Object.keys(JWT.shape)];

function isOrigin(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : null;
  return url?.origin === text && /^https?:$/.test(url.protocol);
}

/** Whoever can change the keys on their way can make tokens. */
function isSafeUrl(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url?.username !== '' || url.password !== '') return false;
  const isLocal = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname);
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLocal);
}

/**
 * Reads what the options name; `null` when nobody has to say who they are.
 * @param directory of the file: what paths are relative to
 */
export async function resolveAuth(
  { tokens, jwt }: z.infer<typeof authSchema>,
  directory: string,
  problems: string[],
): Promise<AuthOptions | null> {
  if (tokens === undefined && jwt === undefined) return null;
  const file = tokens === undefined ? null : resolve(directory, tokens);
  if (file !== null) problems.push(...(await tokenFileProblems(file)));
  return { tokens: file, jwt: jwt === undefined ? null : await jwtOf(jwt, directory, problems) };
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

async function jwtOf(jwt: z.infer<typeof JWT>, directory: string, problems: string[]): Promise<JwtOptions | null> {
  const key = await keyOf(jwt, directory, problems);
  if (key === null) return null;
  const { issuer, audience, algorithms, scopeClaim = null, clockToleranceSeconds = 0 } = jwt;
  return { issuer, audience: [audience].flat(), algorithms, key, scopeClaim, clockToleranceSeconds };
}

async function keyOf(jwt: z.infer<typeof JWT>, directory: string, problems: string[]): Promise<JwtKey | null> {
  const { secret, publicKey, jwksUrl, algorithms } = jwt;
  const place = 'swarmlens.auth.jwt';
  const refuse = (key: string, reason: string): null => {
    problems.push(`${place}${key}: ${reason}`);
    return null;
  };
  if ([secret, publicKey, jwksUrl].filter((one) => one !== undefined).length !== 1) {
    return refuse('', 'expected one of "secret", "publicKey" and "jwksUrl"');
  }
  const others = algorithms.filter((one) => one.startsWith('HS') !== (secret !== undefined));
  if (others.length > 0) {
    const expected = secret === undefined ? ASYMMETRIC_ALGORITHMS : HMAC_ALGORITHMS;
    const what = secret === undefined ? 'a public key, which everybody may know' : 'a secret';
    return refuse('.algorithms', `${others.join(', ')} cannot be used with ${what} – expected ${expected.join(', ')}`);
  }
  if (secret !== undefined) {
    const bytes = Math.max(...algorithms.map((one) => Number(one.slice(2)) / 8));
    if (Buffer.byteLength(secret) >= bytes) return { kind: 'secret', secret };
    return refuse(
      '.secret',
      `is too short for ${algorithms.join(', ')} – expected at least ${bytes} bytes, random ones`,
    );
  }
  if (jwksUrl !== undefined) return { kind: 'jwks', url: jwksUrl, cooldownMs: JWKS_COOLDOWN_MS };
  const pem = await pemOf(publicKey ?? '', directory);
  if (pem === null)
    return refuse('.publicKey', 'cannot be read – expected a PEM public key, or the path of a file with one');
  if (pem.includes('PRIVATE KEY')) return refuse('.publicKey', 'is a private key, which only the issuer may have');
  const wrong = wrongKey(pem, algorithms);
  return wrong === null ? { kind: 'public', pem } : refuse('.publicKey', wrong);
}

async function pemOf(text: string, directory: string): Promise<string | null> {
  if (text.includes('-----BEGIN ')) return text;
  return await readFile(resolve(directory, text), 'utf8').catch(() => null);
}

/** Why a key is none for these algorithms; `null`: it is one. */
function wrongKey(pem: string, algorithms: readonly string[]): string | null {
  let key: KeyObject;
  try {
    key = createPublicKey(pem);
  } catch {
    return 'is no PEM public key';
  }
  const other = algorithms.find((algorithm) => !fits(key, algorithm));
  if (other !== undefined) return `is no key for ${other}: its kind is ${key.asymmetricKeyType ?? 'unknown'}`;
  const bits = key.asymmetricKeyDetails?.modulusLength;
  return bits !== undefined && bits < 2048 ? `has ${bits} bits – expected at least 2048` : null;
}

const CURVES: Readonly<Record<string, string>> = { ES256: 'prime256v1', ES384: 'secp384r1', ES512: 'secp521r1' };

function fits({ asymmetricKeyType: type, asymmetricKeyDetails }: KeyObject, algorithm: string): boolean {
  if (algorithm === 'EdDSA') return type === 'ed25519';
  if (algorithm.startsWith('ES')) return type === 'ec' && asymmetricKeyDetails?.namedCurve === CURVES[algorithm];
  return type === 'rsa';
}
