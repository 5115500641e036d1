import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';

/** Value of `Retry-After` for clients that are rejected because of overload or a rate limit. */
export const RETRY_AFTER_SECONDS = 1;

/** Answers a raw socket, such as that of a rejected WebSocket upgrade, with an HTTP response and closes it. */
export function rejectUpgrade(
  duplex: Duplex,
  status: 400 | 401 | 403 | 404 | 408 | 429 | 431 | 503,
  reason: string,
): void {
  // The client may disconnect before it is answered.
  duplex.on('error', () => undefined);
  // An unread socket does not notice when the client closes it, and would stay open forever.
  duplex.once('finish', () => duplex.destroy());
  const authenticate = status === 401 ? 'WWW-Authenticate: Bearer\r\n' : '';
  const retry = status === 429 || status === 503 ? `Retry-After: ${RETRY_AFTER_SECONDS}\r\n` : '';
  duplex.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\nConnection: close\r\n${authenticate}${retry}Content-Type: text/plain\r\n\r\n${reason}\n`,
  );
}
