import { SwarmClientError } from '../errors.js';

/** Close code for a token that is missing, invalid or expired. */
export const CLOSE_FORBIDDEN = 4403;

/** Close code for a connection that broke without a close frame. */
export const CLOSE_ABNORMAL = 1006;

const CHECK_URL = 'Check that `url` is the address of a swarmlens whose version matches this client.';
const CHECK_LOG = 'The server failed; its log contains the reason. Create a new client to try again.';

/** Advice for close codes that a retry does not help with. The client retries after all other codes. */
const ADVICE_BY_FATAL_CODE: Readonly<Record<number, string>> = {
  1002: CHECK_URL,
  1003: CHECK_URL,
  1007: CHECK_URL,
  1008: 'A message violated a limit of the server. See `limits` in its configuration.',
  1009: 'A message exceeded `limits.maxMessageBytes` of the server. Send shorter filters or arguments.',
  1010: CHECK_URL,
  1011: CHECK_LOG,
  1015: 'The TLS certificate of the server was rejected. Check the certificate and the host name in the URL.',
  4004: CHECK_URL,
  4400: 'The server rejected the connection parameters. Check `maxHz` and `token`.',
  4401: CHECK_URL,
  4406: CHECK_URL,
  4409: CHECK_URL,
  4429: CHECK_URL,
  4500: CHECK_LOG,
};

/** Returns the error that closes the client after a close code. Null if the client retries. */
export function toFatalError(code: number, reason: string): SwarmClientError | null {
  const advice = ADVICE_BY_FATAL_CODE[code];
  if (advice === undefined) return null;
  const quotedReason = reason === '' ? '' : `, "${reason}"`;
  const message = `The server closed the connection (${code}${quotedReason}). ${advice}`;
  return new SwarmClientError('CONNECTION_REFUSED', message, code);
}
