import type { IncomingMessage, ServerResponse } from 'node:http';
import { isIP } from 'node:net';

/** Whose requests are looked at. */
export interface OriginPolicy {
  /** Whether the server is reached under any name, and not only under those of this machine. */
  readonly anyHost: boolean;
  /** Of pages of others that may use it. */
  readonly origins: readonly string[];
  /** Whether anybody has to say who they are. */
  readonly tokens: boolean;
}

export interface RequestRejection {
  readonly status: 400 | 403;
  readonly reason: string;
}

/** Why a request is not served at all, over HTTP or as an upgrade; `null`: it is. */
export function checkRequest(
  request: IncomingMessage,
  { anyHost, origins, tokens }: OriginPolicy,
): RequestRejection | null {
  if (!anyHost && !isLoopbackHost(request)) {
    return { status: 403, reason: 'this server is reached as localhost or 127.0.0.1' };
  }
  if (isCrossOrigin(request) && !isAllowed(request, origins)) {
    return { status: 403, reason: 'pages of other origins are not served, unless swarmlens.auth.origins names them' };
  }
  if (tokens && hasTokenInUrl(request)) {
    return {
      status: 400,
      reason:
        'a token in a URL ends up in logs and histories: revoke it, and send a new one as "Authorization: Bearer <token>", or as "authorization" in connection_init',
    };
  }
  return null;
}

/**
 * What a browser has to be told so that a page of another origin, one of those that may, can use the server.
 * @returns whether that was all it asked: a preflight
 */
export function applyCors(
  request: IncomingMessage,
  response: ServerResponse,
  { origins }: Pick<OriginPolicy, 'origins'>,
): boolean {
  if (origins.length > 0) response.setHeader('vary', 'Origin');
  const { origin } = request.headers;
  if (origin === undefined || !isAllowed(request, origins)) return false;
  response.setHeader('access-control-allow-origin', origin);
  response.setHeader('access-control-expose-headers', 'www-authenticate, x-request-id');
  if (request.method !== 'OPTIONS') return false;
  response.setHeader('access-control-allow-methods', 'GET, POST');
  response.setHeader('access-control-allow-headers', 'accept, authorization, content-type');
  response.setHeader('access-control-max-age', '600');
  response.writeHead(204).end();
  return true;
}

function isAllowed(request: IncomingMessage, origins: readonly string[]): boolean {
  const { origin } = request.headers;
  return origin !== undefined && origins.includes(origin);
}

/**
 * Whether a request may have been made by a page of another origin. A browser sends the page's origin along with
 * every WebSocket upgrade and every POST; a program that is no browser sends none.
 */
function isCrossOrigin(request: IncomingMessage): boolean {
  const { origin, host } = request.headers;
  if (origin === undefined) return request.headers['sec-fetch-site'] === 'cross-site';
  return origin !== `http://${host ?? ''}` && origin !== `https://${host ?? ''}`;
}

/**
 * Whether the name in `Host` is one under which this machine can be meant when it listens on loopback only. Any
 * other name got here by a DNS answer that points to loopback, which is how a foreign page would reach us.
 */
function isLoopbackHost(request: IncomingMessage): boolean {
  const host = request.headers.host ?? '';
  const name = host.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
  return (
    name === 'localhost' ||
    name.endsWith('.localhost') ||
    name === '::1' ||
    (isIP(name) === 4 && name.startsWith('127.'))
  );
}

/** Names under which a token is sent elsewhere. A static token is known by how it begins, whatever its name. */
const TOKEN_NAMES: ReadonlySet<string> = new Set([
  ...['token', 'access_token', 'id_token', 'auth_token', 'authtoken', 'accesstoken'],
  ...['authorization', 'auth', 'bearer', 'jwt'],
]);

function hasTokenInUrl({ url = '/' }: IncomingMessage): boolean {
  const at = url.indexOf('?');
  if (at < 0) return false;
  for (const [name, value] of new URLSearchParams(url.slice(at))) {
    if (TOKEN_NAMES.has(name.toLowerCase()) || value.startsWith('swl_')) return true;
  }
  return false;
}
