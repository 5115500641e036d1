import { type Client, createClient } from 'graphql-ws/client';

export type ConnectionState = 'connecting' | 'live' | 'lost';

const FIRST_RETRY_MS = 500;
const MAX_RETRY_MS = 10_000;

/** One socket for everything on the page; it comes back by itself, and takes its subscriptions along. */
export function connect(onState: (state: ConnectionState) => void): Client {
  return createClient({
    url: `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/graphql`,
    lazy: false,
    keepAlive: 10_000,
    retryAttempts: Number.POSITIVE_INFINITY,
    shouldRetry: () => true,
    retryWait: async (retries) => {
      const waitMs = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** retries);
      await new Promise((resolve) => setTimeout(resolve, waitMs * (0.5 + Math.random() / 2)));
    },
    onNonLazyError: () => onState('lost'),
    on: {
      connecting: (isRetry) => onState(isRetry ? 'lost' : 'connecting'),
      connected: () => onState('live'),
      closed: () => onState('lost'),
    },
  });
}
