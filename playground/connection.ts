import { type Client, createClient } from 'graphql-ws/client';

export type ConnectionState = 'connecting' | 'live' | 'lost';

const FIRST_RETRY_MS = 500;
const MAX_RETRY_MS = 10_000;

/** WebSocket close code for a token that is missing, wrong or over. */
const FORBIDDEN = 4403;

/**
 * One socket for everything on the page; it comes back by itself, and takes its subscriptions along.
 * @param askForToken called with the server's words when it wants one; the socket waits for what it resolves with
 */
export function connect(
  onState: (state: ConnectionState) => void,
  askForToken: (reason: string) => Promise<string>,
): Client {
  let token: string | null = null;
  let refusal: string | null = null;
  return createClient({
    url: `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/graphql`,
    lazy: false,
    connectionParams: () => (token === null ? {} : { authorization: `Bearer ${token}` }),
    keepAlive: 10_000,
    retryAttempts: Number.POSITIVE_INFINITY,
    shouldRetry: () => true,
    retryWait: async (retries) => {
      if (refusal !== null) {
        token = await askForToken(refusal);
        refusal = null;
        return;
      }
      const waitMs = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** retries);
      await new Promise((resolve) => setTimeout(resolve, waitMs * (0.5 + Math.random() / 2)));
    },
    onNonLazyError: () => onState('lost'),
    on: {
      connecting: (isRetry) => onState(isRetry ? 'lost' : 'connecting'),
      connected: () => onState('live'),
      closed: (event) => {
        if (event instanceof CloseEvent && event.code === FORBIDDEN) refusal = event.reason;
        onState('lost');
      },
    },
  });
}
