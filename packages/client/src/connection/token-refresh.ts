import { AuthenticateDocument, ViewerDocument } from '../generated/operations.js';
import { OperationError } from '../run-operation.js';
import { type Runtime, sleep } from '../runtime.js';
import { requestOverSocket } from '../session-request.js';
import type { GraphqlWsSession } from './graphql-ws-session.js';
import type { TokenProvider } from './token-provider.js';

/** Longest time between renewal and expiry, in milliseconds. Renews earlier if a fifth of the lifetime is shorter. */
const MAX_MARGIN_MS = 60_000;

/** Shortest remaining lifetime that is worth a renewal, in milliseconds. Below it, the next connection gets a new token. */
const MIN_REMAINING_MS = 1_000;

export interface TokenRefreshOptions {
  readonly session: GraphqlWsSession;
  readonly tokens: TokenProvider;
  readonly runtime: Runtime;
  /** Aborts when the session ends. */
  readonly signal: AbortSignal;
  /** Called when the new token has other permissions, which needs a new connection. The token is already in use. */
  readonly onPermissionsChanged: () => void;
}

/**
 * Sends a new token before the current one expires, until the session ends. If that fails, the server closes the connection
 * with 4403 when the token expires.
 *
 * @throws OperationError if the server does not report the token's expiry
 */
export async function keepTokenFresh({
  session,
  tokens,
  runtime,
  signal,
  onPermissionsChanged,
}: TokenRefreshOptions): Promise<void> {
  const { viewer } = await requestOverSocket(session, ViewerDocument, {}, signal);
  let { expiresAt } = viewer;
  while (expiresAt !== null) {
    const remainingMs = Date.parse(expiresAt) - runtime.now();
    if (remainingMs < MIN_REMAINING_MS) return;
    await sleep(runtime, remainingMs - Math.min(MAX_MARGIN_MS, remainingMs / 5), signal);
    if (signal.aborted) return;
    // A failure is retried with a fifth of the remaining time left.
    const token = await tokens.request(signal).catch(() => null);
    if (token === null) continue;
    const result = await authenticate(session, token, signal);
    if (result === 'REJECTED') continue;
    tokens.use(token);
    if (result === 'PERMISSIONS_CHANGED') {
      onPermissionsChanged();
      return;
    }
    expiresAt = result.expiresAt;
  }
}

async function authenticate(
  session: GraphqlWsSession,
  token: string,
  signal: AbortSignal,
): Promise<{ readonly expiresAt: string | null } | 'PERMISSIONS_CHANGED' | 'REJECTED'> {
  try {
    return (await requestOverSocket(session, AuthenticateDocument, { token }, signal)).authenticate;
  } catch (error) {
    return error instanceof OperationError && error.code === 'FORBIDDEN' ? 'PERMISSIONS_CHANGED' : 'REJECTED';
  }
}
