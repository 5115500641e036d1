import { inspect } from 'node:util';
import { redact } from './sanitize/index.js';

/** Error codes that clients receive in `extensions.code`. */
export type ErrorCode =
  'BAD_USER_INPUT' | 'UNAUTHENTICATED' | 'FORBIDDEN' | 'RATE_LIMITED' | 'SERVER_UNAVAILABLE' | 'LIMIT_EXCEEDED';

/** Error whose message is sent to the client. Every other error is masked. */
export class SwarmlensError extends Error {
  override readonly name = 'SwarmlensError';
  readonly code: ErrorCode;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, details: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.code = code;
    this.details = details;
  }
}

/** Returns the message of a thrown value without secrets, which libraries repeat in their messages. */
export function errorMessage(error: unknown): string {
  if (error instanceof Error) return redact(error.message);
  // `String` throws for objects without a prototype.
  return redact(typeof error === 'string' ? error : inspect(error));
}
