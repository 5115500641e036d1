import { TAP_PATH } from '../../shared/index.js';

const DEFAULT_URL = 'ws://127.0.0.1:4000';
const WEBSOCKET_PROTOCOLS: Readonly<Record<string, string>> = {
  'http:': 'ws:',
  'https:': 'wss:',
  'ws:': 'ws:',
  'wss:': 'wss:',
};

/**
 * The address of a swarmlens for taps, from one that a person knows.
 * @returns `null`: it is none
 */
export function buildUplinkUrl(text: string | undefined, server: string, instance: string): string | null {
  const url = URL.canParse(text ?? DEFAULT_URL) ? new URL(text ?? DEFAULT_URL) : null;
  const protocol = WEBSOCKET_PROTOCOLS[url?.protocol ?? ''];
  if (url === null || protocol === undefined) return null;
  // What is secret does not stand in a URL.
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') return null;
  // The address that `swarmlens serve` prints is that of its GraphQL endpoint.
  const base = url.pathname.replace(/\/(?:graphql\/?)?$/, '');
  const query = new URLSearchParams({ server, instance });
  return `${protocol}//${url.host}${base}${TAP_PATH}?${query.toString()}`;
}
