import type { IncomingMessage, ServerResponse } from 'node:http';
import { isLoopbackHost } from '../../shared/index.js';

/** Hosts and origins from which requests are accepted. */
export interface OriginPolicy {
  /** Whether any `Host` header is accepted, not only loopback names. */
  readonly anyHost: boolean;
  /** Origins of other web pages that may use the server. */
  readonly origins: readonly string[];
  /** Whether requests need a token. */
  readonly tokens: boolean;
}

export interface RequestRejection {
  readonly status: 400 | 403;
  readonly reason: string;
}

/** Returns why an HTTP or upgrade request is rejected before it is routed, or null if it is accepted. */
export function checkRequest(
  request: IncomingMessage,
  { anyHost, origins, tokens }: OriginPolicy,
): RequestRejection | null {
  if (!anyHost && !hasLoopbackHost(request)) {
    return { status: 403, reason: 'Unknown host. Use localhost or 127.0.0.1.' };
  }
  if (isCrossOrigin(request) && !isAllowed(request, origins)) {
    return { status: 403, reason: 'Cross-origin request rejected. Add the origin to swarmlens.auth.origins.' };
  }
  if (tokens && hasTokenInUrl(request)) {
    return {
      status: 400,
      reason:
        'Token in URL rejected, because URLs end up in logs and histories. Revoke the token and send a new one as "Authorization: Bearer <token>", or as "authorization" in connection_init.',
    };
  }
  return null;
}

/**
 * Sets the CORS headers for a web page of an allowed origin and answers preflight requests.
 * @returns whether the request was a preflight and is answered
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
 * Whether a request may come from a web page of another origin. Browsers send the origin of the page with every WebSocket
 * upgrade and every POST; other programs send none.
 */
function isCrossOrigin(request: IncomingMessage): boolean {
  const { origin, host } = request.headers;
  if (origin === undefined) return request.headers['sec-fetch-site'] === 'cross-site';
  return origin !== `http://${host ?? ''}` && origin !== `https://${host ?? ''}`;
}

/**
 * Whether the `Host` header is a loopback name. Any other name reached a loopback listener through a DNS answer, which is
 * how a foreign web page would attack it (DNS rebinding).
 */
function hasLoopbackHost(request: IncomingMessage): boolean {
  return isLoopbackHost((request.headers.host ?? '').replace(/:\d+$/, ''));
}

/** Common parameter names of tokens. Static tokens are recognized by their prefix under any name. */
const TOKEN_NAMES: ReadonlySet<string> = new Set([
  ...['token', 'access_token', 'id_token', 'auth_token', 'authtoken', 'accesstoken'],
  ...['authorization', 'auth', 'bearer', 'jwt'],
]);

function hasTokenInUrl({ url = '/' }: IncomingMessage): boolean {
  const queryStart = url.indexOf('?');
  if (queryStart < 0) return false;
  for (const [name, value] of new URLSearchParams(url.slice(queryStart))) {
    if (TOKEN_NAMES.has(name.toLowerCase()) || value.startsWith('swl_')) return true;
  }
  return false;
}
