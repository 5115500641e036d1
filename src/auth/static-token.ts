import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** What every static token begins with, so that people and secret scanners know it when they see one. */
export const TOKEN_PREFIX = 'swl_';

const SECRET_BYTES = 32;
const ID_BYTES = 6;
const FORMAT = /^swl_([0-9a-f]{12})_([A-Za-z0-9_-]{43})$/;

export interface StaticTokenParts {
  /** Names it in the file and in logs; no secret. */
  readonly id: string;
  readonly secret: string;
}

/** A new static token: `swl_<id>_<secret>`, the secret 256 random bits as base64url. */
export function createStaticToken(): StaticTokenParts & { readonly text: string } {
  const id = randomBytes(ID_BYTES).toString('hex');
  const secret = randomBytes(SECRET_BYTES).toString('base64url');
  return { id, secret, text: `${TOKEN_PREFIX}${id}_${secret}` };
}

/** @returns `null` when it is no static token */
export function parseStaticToken(text: string): StaticTokenParts | null {
  const [, id, secret] = FORMAT.exec(text) ?? [];
  return id === undefined || secret === undefined ? null : { id, secret };
}

/** What is kept of a secret: SHA-256 as hex. Nobody guesses 256 random bits, so a slow hash would only cost us. */
export function hashSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

/** In the same time whatever the secret is. */
export function verifySecret(hash: string, secret: string): boolean {
  return timingSafeEqual(Buffer.from(hash, 'hex'), createHash('sha256').update(secret).digest());
}
