import { expect } from 'vitest';

/** Codes of errors that a client may receive. */
const CLIENT_CODES = [
  'BAD_USER_INPUT',
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'RATE_LIMITED',
  'SERVER_UNAVAILABLE',
  'LIMIT_EXCEEDED',
];

/** Asserts that all errors are caused by the client and reveal nothing about the program. */
export function assertMasked(errors: unknown): void {
  expect(Array.isArray(errors)).toBe(true);
  for (const error of errors as readonly { message: string; extensions?: { code?: string } }[]) {
    // GraphQL errors
    expect(CLIENT_CODES, JSON.stringify(error)).toContain(error.extensions?.code);
    expect(error.message).not.toMatch(/\.[jt]s\b|node_modules|at \w+ \(|is not a function|Cannot read prop/);
    expect(Object.keys(error.extensions ?? {})).not.toContain('stack');
  }
}
