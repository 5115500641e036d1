import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';

/**
 * Whether a request may have been made by a page of another origin. A browser sends the page's origin along with
 * every WebSocket upgrade and every POST; a program that is no browser sends none.
 */
export function isCrossOrigin(request: IncomingMessage): boolean {
  const { origin, host } = request.headers;
  if (origin === undefined) return request.headers['sec-fetch-site'] === 'cross-site';
  return origin !== `http://${host ?? ''}` && origin !== `https://${host ?? ''}`;
}

/**
 * Whether the name in `Host` is one under which this machine can be meant when it listens on loopback only. Any
 * other name got here by a DNS answer that points to loopback, which is how a foreign page would reach us.
 */
export function isLoopbackHost(request: IncomingMessage): boolean {
  const host = request.headers.host ?? '';
  const name = host.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
  return (
    name === 'localhost' ||
    name.endsWith('.localhost') ||
    name === '::1' ||
    (isIP(name) === 4 && name.startsWith('127.'))
  );
}
