import { sleep, type Runtime } from '../runtime.js';
import { AuthenticateDocument, ViewerDocument } from '../generated/operations.js';
import { requestOverSocket } from '../session-request.js';
import { OperationError } from '../run-operation.js';
import type { GraphqlWsSession } from './graphql-ws-session.js';
import type { TokenProvider } from './token-provider.js';

/** Renewed a minute before its end at the latest, or when a fifth of what was left is left. */
const MAX_MARGIN_MS = 60_000;

/** With less than that it is not worth it: the server ends the connection, and the next one begins with a new token. */
const MIN_LEFT_MS = 1_000;

export interface TokenRefreshOptions {
  readonly session: GraphqlWsSession;
  readonly tokens: TokenProvider;
  readonly surroundings: Runtime;
  /** Aborted when the session is over. */
  readonly signal: AbortSignal;
  /** The new token, which is in use now, gives other rights: it takes another connection. */
  readonly onPermissionsChanged: () => void;
}

/**
 * Shows the server a new token before the one in use ends, as long as the session lasts. Whatever goes wrong here, the
 * close code 4403 is there for.
 *
 * @throws OperationError the server does not tell when the token ends
 */
export async function keepTokenFresh({
  session,
  tokens,
  surroundings,
  signal,
  onPermissionsChanged,
}: TokenRefreshOptions): Promise<void> {
  const { viewer } = await requestOverSocket(session, ViewerDocument, {}, signal);
  let { expiresAt } = viewer;
  while (expiresAt !== null) {
    const leftMs = Date.parse(expiresAt) - surroundings.now();
    if (leftMs < MIN_LEFT_MS) return;
    await sleep(surroundings, leftMs - Math.min(MAX_MARGIN_MS, leftMs / 5), signal);
    if (signal.aborted) return;
    // Whatever fails is tried again with what is left of the time.
    const token = await tokens.ask(signal).catch(() => null);
    if (token === null) continue;
    const answer = await show(session, token, signal);
    if (answer === 'REFUSED') continue;
    tokens.use(token);
    if (answer === 'OTHER_RIGHTS') {
      onPermissionsChanged();
      return;
    }
    expiresAt = answer.expiresAt;
  }
}

async function show(
  session: GraphqlWsSession,
  token: string,
  signal: AbortSignal,
): Promise<{ readonly expiresAt: string | null } | 'OTHER_RIGHTS' | 'REFUSED'> {
  try {
    return (await requestOverSocket(session, AuthenticateDocument, { token }, signal)).authenticate;
  } catch (error) {
    return error instanceof OperationError && error.code === 'FORBIDDEN' ? 'OTHER_RIGHTS' : 'REFUSED';
  }
}
