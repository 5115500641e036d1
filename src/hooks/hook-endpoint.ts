import { isLoopbackHost } from '../shared/index.js';
import type { ObservedSource } from '../observer-format/index.js';

/** Port on 127.0.0.1 to which installed hooks send their events. Below the ports that systems assign to connections. */
export const DEFAULT_HOOKS_PORT = 4157;

/** Beginning of the path to which hooks send their events. The name of the observed program follows. */
export const HOOKS_PATH = '/hooks/';

/** Environment variable with the token that observers require and hooks can send. */
export const HOOKS_TOKEN_VARIABLE = 'SWARMLENS_OBSERVE_TOKEN';

/** Returns the URL to which the hooks of a program send their events. */
export function hooksUrl(port: number, source: ObservedSource): string {
  return `http://127.0.0.1:${port}${HOOKS_PATH}${source}`;
}

/** Returns whether a URL is that of an observer on this machine, on any port. */
export function isHooksUrl(text: unknown, source: ObservedSource): boolean {
  if (typeof text !== 'string' || !URL.canParse(text)) return false;
  const { protocol, hostname, pathname } = new URL(text);
  return protocol === 'http:' && isLoopbackHost(hostname) && pathname === `${HOOKS_PATH}${source}`;
}
