import { SwarmClientError } from '../errors.js';

/** The token is missing, wrong or over. */
export const CLOSE_FORBIDDEN = 4403;

/** The connection broke without a word. */
export const CLOSE_ABNORMAL = 1006;

const NOT_SWARMLENS = 'Is that swarmlens, and does its version match this client?';
const FAILED = 'The server failed: its log has the reason. Make a new client to try again.';

/** Codes that trying again does not mend, and what to do about them. All others are tried again. */
const FATAL: Readonly<Record<number, string>> = {
  1002: NOT_SWARMLENS,
  1003: NOT_SWARMLENS,
  1007: NOT_SWARMLENS,
  1008: 'What was sent breaks a rule of the server: see `limits` in its configuration.',
  1009: 'A message was larger than `limits.maxMessageBytes` of the server: send shorter filters or arguments.',
  1010: NOT_SWARMLENS,
  1011: FAILED,
  1015: 'The certificate of the server is not accepted: check it, and the name in the URL.',
  4004: NOT_SWARMLENS,
  4400: 'The server does not understand this client: check `maxHz` and `token`.',
  4401: NOT_SWARMLENS,
  4406: NOT_SWARMLENS,
  4409: NOT_SWARMLENS,
  4429: NOT_SWARMLENS,
  4500: FAILED,
};

/** The error that a close code ends the client with; `null`: it is tried again. */
export function toFatalError(code: number, reason: string): SwarmClientError | null {
  const advice = FATAL[code];
  if (advice === undefined) return null;
  const words = reason === '' ? '' : `, "${reason}"`;
  const message = `The server closed the connection for good (${code}${words}). ${advice}`;
  return new SwarmClientError('CONNECTION_REFUSED', message, code);
}
