import { TAP_PATH } from '../../shared/index.js';

const DEFAULT_URL = 'ws://127.0.0.1:4000';
const WEBSOCKET_PROTOCOLS: Readonly<Record<string, string>> = {
  'http:': 'ws:',
  'https:': 'wss:',
  'ws:': 'ws:',
  'wss:': 'wss:',
};

/**
 * Builds the URL under which a tap connects to swarmlens from the URL that the user gave. Returns null if it is invalid.
 * @param text HTTP or WebSocket URL of swarmlens; undefined means the default
 * @param server name under which swarmlens shows the server
 * @param instance random id of this tap
 */
export function buildUplinkUrl(text: string | undefined, server: string, instance: string): string | null {
  const url = URL.canParse(text ?? DEFAULT_URL) ? new URL(text ?? DEFAULT_URL) : null;
  const protocol = WEBSOCKET_PROTOCOLS[url?.protocol ?? ''];
  if (url === null || protocol === undefined) return null;
  // Credentials and tokens do not belong in a URL.
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') return null;
  // `swarmlens serve` prints the URL of its GraphQL endpoint.
  const base = url.pathname.replace(/\/(?:graphql\/?)?$/, '');
  const query = new URLSearchParams({ server, instance });
  return `${protocol}//${url.host}${base}${TAP_PATH}?${query.toString()}`;
}
