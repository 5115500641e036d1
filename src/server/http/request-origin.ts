import type { IncomingMessage, ServerResponse } from 'node:http';
import { isLoopbackHost } from '../../shared/index.js';

/** Hosts and origins from which requests are accepted. */
export interface OriginPolicy {
  /** Whether any `Host` header is accepted, not only loopback names. */
  readonly anyHost: boolean;
  /** Origins of other web pages that may use the server. */
  readonly origins: readonly string[];
  /** Names of the request headers that pages of these origins may send, beside `COMMON_HEADERS`. */
  readonly allowHeaders: readonly string[];
  /** Whether requests need a token. */
  readonly tokens: boolean;
}

export interface RequestRejection {
  readonly status: 400 | 403;
  readonly reason: string;
}

/**
 * Returns why an HTTP or upgrade request is rejected before it is routed, or null if it is accepted.
 * @param isPage whether the request is for a page without data, which links of other sites may open
 */
export function checkRequest(
  request: IncomingMessage,
  { anyHost, origins, tokens }: OriginPolicy,
  isPage = false,
): RequestRejection | null {
  if (!anyHost && !hasLoopbackHost(request)) {
    return { status: 403, reason: 'Unknown host. Use localhost or 127.0.0.1.' };
  }
  if (isCrossOrigin(request) && !isAllowed(request, origins) && !(isPage && isNavigation(request))) {
    const reason = 'Cross-origin request rejected. Add the origin to swarmlens.auth.origins.';
    return { status: 403, reason };
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

/** Request headers that GraphQL clients, tracing libraries and error reporters send from web pages. */
const COMMON_HEADERS = [
  ...['accept', 'authorization', 'cache-control', 'content-type', 'last-event-id', 'x-requested-with'],
  ...['apollo-require-preflight', 'apollographql-client-name', 'apollographql-client-version'],
  ...['x-apollo-operation-id', 'x-apollo-operation-name', 'x-apollo-operation-type'],
  ...['graphql-client-name', 'graphql-client-version', 'graphql-preflight', 'graphql-require-preflight'],
  ...['traceparent', 'tracestate', 'baggage', 'sentry-trace', 'elastic-apm-traceparent', 'newrelic', 'uber-trace-id'],
  ...['b3', 'x-b3-traceid', 'x-b3-spanid', 'x-b3-parentspanid', 'x-b3-sampled', 'x-b3-flags'],
  ...['x-datadog-origin', 'x-datadog-parent-id', 'x-datadog-sampling-priority', 'x-datadog-trace-id'],
  ...['x-correlation-id', 'x-request-id'],
];

/**
 * Sets the CORS headers for a web page of an allowed origin and answers preflight requests.
 * @returns whether the request was a preflight and is answered
 */
export function applyCors(
  request: IncomingMessage,
  response: ServerResponse,
  { origins, allowHeaders }: Pick<OriginPolicy, 'origins' | 'allowHeaders'>,
): boolean {
  if (origins.length > 0) response.setHeader('vary', 'Origin');
  const { origin } = request.headers;
  if (origin === undefined || !isAllowed(request, origins)) return false;
  response.setHeader('access-control-allow-origin', origin);
  response.setHeader('access-control-expose-headers', 'allow, retry-after, www-authenticate, x-request-id');
  if (request.method !== 'OPTIONS') return false;
  response.setHeader('access-control-allow-methods', 'GET, POST');
  response.setHeader('access-control-allow-headers', [...new Set([...COMMON_HEADERS, ...allowHeaders])].join(', '));
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
 * upgrade and every POST; other programs send none. Pages of the same site may be those of another program on this machine.
 */
function isCrossOrigin(request: IncomingMessage): boolean {
  const { origin, host } = request.headers;
  if (origin !== undefined) return origin !== `http://${host ?? ''}` && origin !== `https://${host ?? ''}`;
  const site = request.headers['sec-fetch-site'];
  return site !== undefined && site !== 'same-origin' && site !== 'none';
}

/** Whether a browser requests a page for a tab or window, by a link or its address bar, and not for a frame or a script. */
export function isNavigation({ method, headers }: IncomingMessage): boolean {
  return (
    (method === 'GET' || method === 'HEAD') &&
    headers.origin === undefined &&
    headers['sec-fetch-mode'] === 'navigate' &&
    headers['sec-fetch-dest'] === 'document'
  );
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
