/** What of an endpoint says where it is. */
export interface EndpointLocation {
  readonly command?: string;
  readonly args?: readonly string[];
  readonly cwd?: string;
  readonly url?: string;
  readonly host?: string;
  readonly port?: number;
}

const DEFAULT_PORTS: Readonly<Record<string, string>> = { 'http:': '80', 'ws:': '80', 'https:': '443', 'wss:': '443' };

/**
 * Equal for what is one server: the same command, arguments and directory, or the same host and port, whatever the path.
 * Looser than what makes two entries of the configuration one, because a port that was found has neither path nor token.
 */
export function endpointIdentity(endpoint: EndpointLocation): string {
  const { command, args, cwd, url, host, port } = endpoint;
  if (command !== undefined) return JSON.stringify([command, args ?? [], cwd ?? null]);
  if (url === undefined) return `${normalHost(host ?? '')}:${port ?? ''}`;
  const { hostname, port: written, protocol } = new URL(url);
  return `${normalHost(hostname)}:${written === '' ? (DEFAULT_PORTS[protocol] ?? '') : written}`;
}

export function isLoopback(hostname: string): boolean {
  return normalHost(hostname) === 'localhost';
}

/** All names of this machine are one; so is the address by which a server listens on all of them. */
function normalHost(hostname: string): string {
  const host = hostname.toLowerCase().replace(/^\[(.*)\]$/, '$1');
  return ['::1', '::', '0.0.0.0'].includes(host) || /^127(\.\d{1,3}){3}$/.test(host) || host.endsWith('.localhost')
    ? 'localhost'
    : host;
}
