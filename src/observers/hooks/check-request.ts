import { createHash, timingSafeEqual } from 'node:crypto';
import {
  hostHeaderValidationResponse,
  localhostAllowedHostnames,
  localhostAllowedOrigins,
  originValidationResponse,
} from '@modelcontextprotocol/server';
import { HOOKS_TOKEN_VARIABLE } from '../../hooks/index.js';

export interface RequestPolicy {
  /** Token that requests must present as `Authorization: Bearer`. Null to accept every program of this machine. */
  readonly token: string | null;
  /** Whether only programs of this machine can connect. Other machines use names of their own for this one. */
  readonly isLocal: boolean;
}

/**
 * Returns the rejection of a request of another host, a page of another origin, or without the token. Null if the request is
 * permitted. A page that resolves its own name to an address of this machine does not know the token.
 */
export function rejectRequest(request: Request, { token, isLocal }: RequestPolicy): Response | null {
  return (
    (isLocal ? hostHeaderValidationResponse(request, localhostAllowedHostnames()) : null) ??
    originValidationResponse(request, localhostAllowedOrigins()) ??
    (isAuthorized(request, token) ? null : unauthorized(request))
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

function unauthorized({ headers }: Request): Response {
  const problem = headers.has('authorization') ? 'Wrong token' : 'Token required';
  return new Response(`${problem}. Present the value of ${HOOKS_TOKEN_VARIABLE} as a bearer token.`, {
    status: 401,
    headers: { 'www-authenticate': 'Bearer realm="swarmlens"' },
  });
}
