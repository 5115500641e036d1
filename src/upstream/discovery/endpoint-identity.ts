import { isLoopbackHost, normalizeHost } from '../../shared/index.js';
/** Properties of an endpoint that determine its location. */
export interface EndpointLocation {
  readonly type?: string;
  readonly command?: string;
  readonly args?: readonly string[];
  readonly cwd?: string;
  readonly url?: string;
  readonly host?: string;
  readonly port?: number;
}

const DEFAULT_PORTS: Readonly<Record<string, string>> = { 'http:': '80', 'ws:': '80', 'https:': '443', 'wss:': '443' };

/**
 * Returns a key that is equal for endpoints of the same server: those with the same command, arguments and directory, or
 * with the same host and port. Ignores paths and tokens, because a port that was found has neither.
 */
export function endpointIdentity(endpoint: EndpointLocation): string {
  const { command, args, cwd, url, host, port } = endpoint;
  if (command !== undefined) return JSON.stringify([command, args ?? [], cwd ?? null]);
  if (url === undefined) return `${toHostIdentity(host ?? '')}:${port ?? ''}`;
  const { hostname, port: explicitPort, protocol } = new URL(url);
  return `${toHostIdentity(hostname)}:${explicitPort === '' ? (DEFAULT_PORTS[protocol] ?? '') : explicitPort}`;
}

/** Returns whether a host denotes this machine, including the addresses by which a server listens on all interfaces. */
export function isThisMachine(hostname: string): boolean {
  return isLoopbackHost(hostname) || ['::', '0.0.0.0'].includes(normalizeHost(hostname));
}

function toHostIdentity(hostname: string): string {
  return isThisMachine(hostname) ? 'localhost' : normalizeHost(hostname);
}
