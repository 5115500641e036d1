/** What is needed of a WebSocket, the platform's or one of `ws`. */
export interface WebSocketLike {
  send(text: string): void;
  close(code?: number, reason?: string): void;
  addEventListener(type: 'error' | 'close', listener: () => void): void;
  /** Only `ws` has it: ends without waiting for the other end. */
  terminate?(): void;
}

export type WebSocketClass = new (url: string, protocol: string) => WebSocketLike;

/** @throws TypeError there is no WebSocket here */
export function resolveWebSocketClass(given: unknown): WebSocketClass {
  const found: unknown = given ?? (globalThis as { WebSocket?: unknown }).WebSocket; // Node.js before 22 has none
  if (typeof found === 'function') return found as WebSocketClass; // what it makes is looked at when it is used
  throw new TypeError(
    given === undefined
      ? "there is no WebSocket here: pass `webSocketImpl: WebSocket` of the package 'ws' (Node.js 22 and browsers bring their own)"
      : '`webSocketImpl` is no WebSocket class',
  );
}

const GRAPHQL_PATH = '/graphql';

/**
 * The address of the WebSocket.
 * @param url `http`, `https`, `ws` or `wss`; in a browser, it may be relative to the page
 * @throws TypeError it is none of these, or holds a user, a password or a fragment
 */
export function resolveWebSocketUrl(url: string): string {
  const { location } = globalThis as { location?: { href: string } }; // browsers have one
  let parsed: URL;
  try {
    parsed = new URL(url, location?.href);
  } catch {
    throw new TypeError(`\`url\` is no address: ${JSON.stringify(url)}`);
  }
  const protocol = { 'http:': 'ws:', 'https:': 'wss:', 'ws:': 'ws:', 'wss:': 'wss:' }[parsed.protocol];
  if (protocol === undefined) throw new TypeError('`url` has to begin with http://, https://, ws:// or wss://');
  if (parsed.username !== '' || parsed.password !== '' || parsed.hash !== '') {
    throw new TypeError('`url` must not hold a user, a password or a fragment: pass `token`');
  }
  parsed.protocol = protocol;
  if (parsed.pathname === '/') parsed.pathname = GRAPHQL_PATH;
  return parsed.href;
}
