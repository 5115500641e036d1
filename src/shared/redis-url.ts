/** Where a Redis is, and how to get in. */
export interface RedisAddress {
  readonly kind: 'single' | 'sentinel' | 'cluster';
  readonly tls: boolean;
  /** Of the Redis, of the sentinels, or of some nodes of the cluster; at least one. */
  readonly hosts: readonly RedisHost[];
  readonly username: string | null;
  readonly password: string | null;
  /** The name that sentinels know the Redis by; `null` unless there are sentinels. */
  readonly masterName: string | null;
  readonly db: number;
}

export interface RedisHost {
  readonly host: string;
  readonly port: number;
}

const URL_SHAPE = /^(rediss?)(?:\+(sentinel|cluster))?:\/\/(?:(.*)@)?([^/?#@]+)(?:\/([^?#]*))?$/s;
const HOST_SHAPE = /^(?:\[([0-9a-fA-F:.%]+)\]|([^:[\]\s]+))(?::(\d{1,5}))?$/;

/** What is accepted, for people. */
export const REDIS_URL_FORMATS =
  'redis://[user:password@]host[:port][/db], redis+sentinel://[:password@]host[:port],…/master[/db] or redis+cluster://[:password@]host[:port],…, each also with rediss for TLS';

/**
 * A password with characters that mean something in a URL is percent-encoded.
 * @returns `null` when it is none of `REDIS_URL_FORMS`
 */
export function parseRedisUrl(text: string): RedisAddress | null {
  const [, scheme, kind = 'single', login, hostList = '', rest = ''] = URL_SHAPE.exec(text) ?? [];
  if (scheme === undefined || (kind !== 'single' && kind !== 'sentinel' && kind !== 'cluster')) return null;
  const names = hostList.split(',');
  const hosts = names.flatMap((name) => hostOf(name, kind === 'sentinel' ? 26_379 : 6_379) ?? []);
  if (hosts.length !== names.length || (kind === 'single' && hosts.length > 1)) return null;
  const path = rest === '' ? [] : rest.split('/').map(decoded);
  const masterName = kind === 'sentinel' ? path.shift() : null;
  const db = databaseOf(path);
  if (masterName === undefined || masterName === '' || db === null || (kind === 'cluster' && db !== 0)) return null;
  const credentials = credentialsOf(login);
  return credentials && { kind, tls: scheme === 'rediss', hosts, ...credentials, masterName, db };
}

function hostOf(text: string, usualPort: number): RedisHost | null {
  const [, bracketed, plain, port] = HOST_SHAPE.exec(text) ?? [];
  const host = bracketed ?? plain;
  const number = port === undefined ? usualPort : Number(port);
  return host === undefined || number < 1 || number > 65_535 ? null : { host, port: number };
}

/** `null`: not a database. */
function databaseOf(path: readonly (string | null)[]): number | null {
  const [db = '', ...more] = path;
  return more.length > 0 || db === null || !/^\d{0,5}$/.test(db) ? null : Number(db);
}

/** `null`: cannot be decoded. */
function credentialsOf(login: string | undefined): Pick<RedisAddress, 'username' | 'password'> | null {
  if (login === undefined) return { username: null, password: null };
  const colon = login.indexOf(':');
  const username = decoded(colon < 0 ? '' : login.slice(0, colon));
  const password = decoded(colon < 0 ? login : login.slice(colon + 1));
  if (username === null || password === null || password === '') return null;
  return { username: username === '' ? null : username, password };
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
