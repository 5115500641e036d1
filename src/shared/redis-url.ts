/** Address and credentials of a Redis. */
export interface RedisAddress {
  readonly kind: 'single' | 'sentinel' | 'cluster';
  readonly tls: boolean;
  /** Hosts of the Redis, of the sentinels, or of some cluster nodes. At least one. */
  readonly hosts: readonly RedisHost[];
  readonly username: string | null;
  readonly password: string | null;
  /** Name of the master. Null without sentinels. */
  readonly masterName: string | null;
  readonly db: number;
}

/** Certificates for TLS connections to Redis, as PEM. */
export interface RedisTls {
  /** Certificates of the authorities that may sign the certificate of Redis. Null for those of Node.js. */
  readonly ca: string | null;
  /** Certificate and private key of this client. Null if Redis requires none. */
  readonly cert: string | null;
  readonly key: string | null;
}

export interface RedisHost {
  readonly host: string;
  readonly port: number;
}

const SCHEME = /^(rediss?)(?:\+(sentinel|cluster))?:\/\//;
const HOSTS_AND_PATH = /^([^/?#@]+)(?:\/([^?#]*))?$/;
const HOST_SHAPE = /^(?:\[([0-9a-fA-F:.%]+)\]|([^:[\]\s]+))(?::(\d{1,5}))?$/;

/** Accepted URL formats, for messages. */
export const REDIS_URL_FORMATS =
  'redis://[user:password@]host[:port][/db], redis+sentinel://[:password@]host[:port],…/master[/db] or redis+cluster://[:password@]host[:port],…, each also with rediss for TLS';

/**
 * Parses a Redis URL with a percent-encoded password. Returns null if the text has none of the `REDIS_URL_FORMATS`.
 */
export function parseRedisUrl(text: string): RedisAddress | null {
  const [prefix = '', scheme, kind = 'single'] = SCHEME.exec(text) ?? [];
  if (scheme === undefined || (kind !== 'single' && kind !== 'sentinel' && kind !== 'cluster')) return null;
  // The last @, because a password may contain one.
  const at = text.lastIndexOf('@');
  const login = at < prefix.length ? undefined : text.slice(prefix.length, at);
  const [, hostList = '', rest = ''] = HOSTS_AND_PATH.exec(text.slice(Math.max(prefix.length, at + 1))) ?? [];
  const names = hostList.split(',');
  const hosts = names.flatMap((name) => parseHost(name, kind === 'sentinel' ? 26_379 : 6_379) ?? []);
  if (hosts.length !== names.length || (kind === 'single' && hosts.length > 1)) return null;
  const path = rest === '' ? [] : rest.split('/').map(decodePart);
  const masterName = kind === 'sentinel' ? path.shift() : null;
  const db = parseDatabase(path);
  if (masterName === undefined || masterName === '' || db === null || (kind === 'cluster' && db !== 0)) return null;
  const credentials = parseCredentials(login);
  return credentials && { kind, tls: scheme === 'rediss', hosts, ...credentials, masterName, db };
}

function parseHost(text: string, defaultPort: number): RedisHost | null {
  const [, bracketed, plain, port] = HOST_SHAPE.exec(text) ?? [];
  const host = bracketed ?? plain;
  const number = port === undefined ? defaultPort : Number(port);
  return host === undefined || number < 1 || number > 65_535 ? null : { host, port: number };
}

/** Parses the database number. Null if the path is invalid. */
function parseDatabase(path: readonly (string | null)[]): number | null {
  const [db = '', ...more] = path;
  return more.length > 0 || db === null || !/^\d{0,5}$/.test(db) ? null : Number(db);
}

/** Parses user and password. Null if they cannot be decoded. */
function parseCredentials(login: string | undefined): Pick<RedisAddress, 'username' | 'password'> | null {
  if (login === undefined) return { username: null, password: null };
  const colon = login.indexOf(':');
  const username = decodePart(colon < 0 ? '' : login.slice(0, colon));
  const password = decodePart(colon < 0 ? login : login.slice(colon + 1));
  if (username === null || password === null || password === '') return null;
  return { username: username === '' ? null : username, password };
}

function decodePart(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
