import type { Duplex } from 'node:stream';

export type RefusalStatus = '400 Bad Request' | '403 Forbidden' | '404 Not Found';

/** Answers a request for a WebSocket that is not granted. */
export function refuseUpgrade(duplex: Duplex, status: RefusalStatus, why: string): void {
  // Who leaves before the answer is no error of ours.
  duplex.on('error', () => undefined);
  duplex.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: text/plain\r\n\r\n${why}\n`);
}
