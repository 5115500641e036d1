import { SwarmlensError } from '../shared/index.js';

/** Characters of a token; no identity provider sends longer ones, and no proxy passes them. */
export const MAX_TOKEN_LENGTH = 8_192;

/** RFC 6750, 2.1: `b64token`. */
const TOKEN = /^[A-Za-z0-9\-._~+/]+=*$/;

/**
 * The token in the value of an `Authorization` header, or of `authorization` in `connection_init`.
 * @throws SwarmlensError UNAUTHENTICATED saying what to send instead
 */
export function parseBearerToken(authorization: string | null): string {
  if (authorization === null || authorization === '') {
    throw unauthenticatedError('Token required. Send "Authorization: Bearer <token>".');
  }
  // Nothing is done with what is too long, not even a look for its end.
  if (authorization.length > MAX_TOKEN_LENGTH)
    throw unauthenticatedError(`The token has more than ${MAX_TOKEN_LENGTH} characters.`);
  const space = authorization.indexOf(' ');
  if (space < 0 || authorization.slice(0, space).toLowerCase() !== 'bearer') {
    throw unauthenticatedError('The token is not of the kind Bearer: send "Authorization: Bearer <token>".');
  }
  const token = authorization.slice(space).trim();
  if (!TOKEN.test(token)) throw unauthenticatedError('The token is not valid.');
  return token;
}

/** How everything is answered that is not let in. The message never holds the token. */
export function unauthenticatedError(message: string): SwarmlensError {
  return new SwarmlensError('UNAUTHENTICATED', message);
}
