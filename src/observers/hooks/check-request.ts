import { createHash, timingSafeEqual } from 'node:crypto';
import {
  hostHeaderValidationResponse,
  localhostAllowedHostnames,
  localhostAllowedOrigins,
  originValidationResponse,
} from '@modelcontextprotocol/server';

/**
 * Returns the rejection of a request of another host, a page of another origin, or without the token. Null if the request is
 * permitted.
 * @param token token that requests must present as `Authorization: Bearer`; null to accept every program of this machine
 */
export function rejectRequest(request: Request, token: string | null): Response | null {
  return (
    hostHeaderValidationResponse(request, localhostAllowedHostnames()) ??
    originValidationResponse(request, localhostAllowedOrigins()) ??
    (isAuthorized(request, token) ? null : unauthorized())
  );
}

function isAuthorized(request: Request, token: string | null): boolean {
  if (token === null) return true;
  const presented = /^Bearer (.+)$/i.exec(request.headers.get('authorization') ?? '')?.[1] ?? '';
  // Digests have the same length, whatever is presented.
  return timingSafeEqual(digest(presented), digest(token));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function unauthorized(): Response {
  return new Response('Token required. Send "Authorization: Bearer <token>".', {
    status: 401,
    headers: { 'www-authenticate': 'Bearer realm="swarmlens"' },
  });
}
