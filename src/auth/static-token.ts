import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** Prefix of all static tokens, by which people and secret scanners recognize them. */
export const TOKEN_PREFIX = 'swl_';

const SECRET_BYTES = 32;
const ID_BYTES = 6;
const FORMAT = /^swl_([0-9a-f]{12})_([A-Za-z0-9_-]{43})$/;

export interface StaticTokenParts {
  /** Public id of the token in the file and in logs. */
  readonly id: string;
  readonly secret: string;
}

/** Creates a static token, `swl_<id>_<secret>`. The secret consists of 256 random bits as base64url. */
export function createStaticToken(): StaticTokenParts & { readonly text: string } {
  const id = randomBytes(ID_BYTES).toString('hex');
  const secret = randomBytes(SECRET_BYTES).toString('base64url');
  return { id, secret, text: `${TOKEN_PREFIX}${id}_${secret}` };
}

/** Parses a static token. @returns null if the text is not a static token */
export function parseStaticToken(text: string): StaticTokenParts | null {
  const [, id, secret] = FORMAT.exec(text) ?? [];
  return id === undefined || secret === undefined ? null : { id, secret };
}

/** Returns the SHA-256 of a secret as hex. A slow hash is not needed, because 256 random bits cannot be guessed. */
export function hashSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

/** Compares a secret with its hash in constant time. */
export function verifySecret(hash: string, secret: string): boolean {
  return timingSafeEqual(Buffer.from(hash, 'hex'), createHash('sha256').update(secret).digest());
}
