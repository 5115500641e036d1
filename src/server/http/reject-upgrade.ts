import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';

/** When somebody who was refused for overload may try again. */
export const RETRY_AFTER_SECONDS = 1;

/** Answers a request for a WebSocket that is not granted. */
export function rejectUpgrade(
  duplex: Duplex,
  status: 400 | 401 | 403 | 404 | 408 | 429 | 431 | 503,
  why: string,
): void {
  // Who leaves before the answer is no error of ours.
  duplex.on('error', () => undefined);
  // Nobody reads it any more, so that nobody would see the other end close it, and it would stay for ever.
  duplex.once('finish', () => duplex.destroy());
  const authenticate = status === 401 ? 'WWW-Authenticate: Bearer\r\n' : '';
  const retry = status === 429 || status === 503 ? `Retry-After: ${RETRY_AFTER_SECONDS}\r\n` : '';
  duplex.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\nConnection: close\r\n${authenticate}${retry}Content-Type: text/plain\r\n\r\n${why}\n`,
  );
}
