import { isLoopbackHost, TAP_PATH } from '../../shared/index.js';

const DEFAULT_URL = 'ws://127.0.0.1:4000';
const WEBSOCKET_PROTOCOLS: Readonly<Record<string, string>> = {
  'http:': 'ws:',
  'https:': 'wss:',
  'ws:': 'ws:',
  'wss:': 'wss:',
};

/** URL under which a tap connects to swarmlens. */
export interface UplinkUrl {
  readonly url: string;
  readonly isLoopback: boolean;
  /** Whether TLS proves the identity of the host. */
  readonly isSecure: boolean;
}

/**
 * Parses the URL of swarmlens that the user gave. Returns null if it is invalid.
 * @param text HTTP or WebSocket URL; undefined means the default
 */
export function parseUplinkUrl(text: string | undefined): UplinkUrl | null {
  const url = URL.canParse(text ?? DEFAULT_URL) ? new URL(text ?? DEFAULT_URL) : null;
  const protocol = WEBSOCKET_PROTOCOLS[url?.protocol ?? ''];
  if (url === null || protocol === undefined) return null;
  // Credentials and tokens do not belong in a URL.
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') return null;
  // `swarmlens serve` prints the URL of its GraphQL endpoint.
  const base = url.pathname.replace(/\/(?:graphql\/?)?$/, '');
  return {
    url: `${protocol}//${url.host}${base}${TAP_PATH}`,
    isLoopback: isLoopbackHost(url.hostname),
    isSecure: protocol === 'wss:',
  };
}
