import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { GRAPHQL_RESPONSE_TYPE } from '../plugins/media-types.js';
import { type RejectionStatus, toRejectionError } from '../plugins/request-error.js';
import { SECURITY_HEADERS } from './security-headers.js';

/** Value of `Retry-After` for clients that are rejected because of overload or a rate limit. */
export const RETRY_AFTER_SECONDS = 1;

/** Answers a raw socket, such as that of a rejected WebSocket upgrade, with an HTTP response and closes it. */
export function rejectUpgrade(duplex: Duplex, status: RejectionStatus, reason: string): void {
  // The client may disconnect before it is answered.
  duplex.on('error', () => undefined);
  // An unread socket does not notice when the client closes it, and would stay open forever.
  duplex.once('finish', () => duplex.destroy());
  const body = JSON.stringify({ errors: [toRejectionError(status, reason)] });
  const headers = {
    ...SECURITY_HEADERS,
    connection: 'close',
    ...(status === 401 && { 'www-authenticate': 'Bearer realm="swarmlens"' }),
    ...((status === 429 || status === 503) && { 'retry-after': `${RETRY_AFTER_SECONDS}` }),
    'content-type': GRAPHQL_RESPONSE_TYPE,
    'content-length': `${Buffer.byteLength(body)}`,
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  duplex.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines.join('')}\r\n${body}`);
}
