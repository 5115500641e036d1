/** Part of a WebSocket that the client uses. */
export interface WebSocketLike {
  send(text: string): void;
  close(code?: number, reason?: string): void;
  addEventListener(type: 'error' | 'close', listener: () => void): void;
  /** Closes without waiting for the server. Only class `WebSocket` of `ws` has it. */
  terminate?(): void;
}

export type WebSocketClass = new (url: string, protocol: string) => WebSocketLike;

/** @throws TypeError if a class is provided that is not a class */
export function assertWebSocketClass(provided: unknown): void {
  if (provided !== undefined && typeof provided !== 'function') {
    throw new TypeError('`webSocketImpl` is not a WebSocket class.');
  }
}

/** Returns the provided WebSocket class or the platform's own. Null if there is neither. */
export function findWebSocketClass(provided: unknown): WebSocketClass | null {
  const found: unknown = provided ?? (globalThis as { WebSocket?: unknown }).WebSocket; // Node.js before 22 has none
  return typeof found === 'function' ? (found as WebSocketClass) : null; // wrong arguments fail when it is called
}

const GRAPHQL_PATH = '/graphql';

/**
 * Returns the address of the WebSocket. Null for a relative URL outside of a browser, so that a page can create its client
 * while it is rendered on a server.
 *
 * @throws TypeError if the URL is invalid, has another protocol than `http`, `https`, `ws` or `wss`, or contains a user
 * name, a password or a fragment
 */
export function resolveWebSocketUrl(url: string): string | null {
  const { location } = globalThis as { location?: { href: string } }; // only browsers have one
  if (location === undefined && url.startsWith('/')) return null;
  let parsed: URL;
  try {
    parsed = new URL(url, location?.href);
  } catch {
    throw new TypeError(`\`url\` is not a URL: ${JSON.stringify(url)}.`);
  }
  const protocol = { 'http:': 'ws:', 'https:': 'wss:', 'ws:': 'ws:', 'wss:': 'wss:' }[parsed.protocol];
  if (protocol === undefined) throw new TypeError('`url` must begin with http://, https://, ws:// or wss://.');
  if (parsed.username !== '' || parsed.password !== '' || parsed.hash !== '') {
    throw new TypeError('`url` must not contain a user name, a password or a fragment. Use `token` instead.');
  }
  parsed.protocol = protocol;
  if (parsed.pathname === '/') parsed.pathname = GRAPHQL_PATH;
  return parsed.href;
}
