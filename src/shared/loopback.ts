import { isIP } from 'node:net';

const LOCALHOST_NAMES: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '::1']);

/** Returns whether a host is `localhost`, `127.0.0.1` or `::1`, which servers treat as the same address. */
export function isLocalhost(host: string): boolean {
  return LOCALHOST_NAMES.has(normalizeHost(host));
}

/** Returns whether a host denotes this machine: `localhost`, a name below `.localhost`, `127.0.0.0/8` or `::1`. */
export function isLoopbackHost(host: string): boolean {
  const name = normalizeHost(host);
  return isLocalhost(name) || name.endsWith('.localhost') || (isIP(name) === 4 && name.startsWith('127.'));
}

/** Converts a host to lower case and removes the brackets of an IPv6 address. */
export function normalizeHost(host: string): string {
  return host.toLowerCase().replace(/^\[(.*)\]$/, '$1');
}

/** Returns whether the address accepts local connections only. A name below `.localhost` may resolve otherwise. */
export function isLoopbackAddress(host: string): boolean {
  return host === 'localhost' || (isIP(host) !== 0 && isLoopbackHost(host));
}
