import { SwarmlensError } from '../shared/index.js';

/** Maximum length of a token in characters. No identity provider issues longer ones, and no proxy forwards them. */
export const MAX_TOKEN_LENGTH = 8_192;

/** Syntax of a bearer token (RFC 6750, 2.1: `b64token`). */
const TOKEN = /^[A-Za-z0-9\-._~+/]+=*$/;

/**
 * Extracts the token from the value of an `Authorization` header, or of `authorization` in `connection_init`.
 * @throws SwarmlensError UNAUTHENTICATED if there is no valid bearer token
 */
export function parseBearerToken(authorization: string | null): string {
  if (authorization === null || authorization === '') {
    throw unauthenticatedError('Token required. Send "Authorization: Bearer <token>".');
  }
  // Oversized values are not processed any further.
  if (authorization.length > MAX_TOKEN_LENGTH)
    throw unauthenticatedError(`The token has more than ${MAX_TOKEN_LENGTH} characters.`);
  const space = authorization.indexOf(' ');
  if (space < 0 || authorization.slice(0, space).toLowerCase() !== 'bearer') {
    throw unauthenticatedError('Unsupported authentication scheme. Send "Authorization: Bearer <token>".');
  }
  const token = authorization.slice(space).trim();
  if (!TOKEN.test(token)) throw unauthenticatedError('Invalid token.');
  return token;
}

/** Creates the error of a rejected request. The message must not contain the token. */
export function unauthenticatedError(message: string): SwarmlensError {
  return new SwarmlensError('UNAUTHENTICATED', message);
}
