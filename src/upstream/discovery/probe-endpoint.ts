import { ProtocolError } from '@modelcontextprotocol/client';
import { type CallGuard, connectSession, type EndpointConfig, TransportError } from '../../mcp/index.js';
import type { Clock, Logger } from '../../shared/index.js';
import type { ProbeResult, NetworkEndpoint } from '../../model/index.js';

export interface ProbeOptions {
  /** Guard of all calls to the probed place. */
  readonly guard: CallGuard;
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Thrown if the server answered with a JSON-RPC error, so that another transport cannot succeed either. */
export class ProbeRejectedError extends Error {
  override readonly name = 'ProbeRejectedError';
}

/**
 * Connects to an MCP server without credentials, reads its identity and tools, and disconnects.
 * @throws Error with the reason within `timeoutMs` if the handshake fails
 */
export async function probeEndpoint(endpoint: NetworkEndpoint, options: ProbeOptions): Promise<ProbeResult> {
  const { guard, signal, timeoutMs, clock, logger } = options;
  try {
    await using session = await connectSession(withoutCredentials(endpoint), {
      serverId: 'discovery',
      signal,
      connectTimeoutMs: timeoutMs,
      guard,
      clock,
      logger,
    });
    const { name, version, capabilities = [] } = session.identity;
    return { name, version, capabilities: [...capabilities].sort(), tools: session.tools.map((tool) => tool.name) };
  } catch (error) {
    const cause = error instanceof TransportError ? error.cause : null;
    throw cause instanceof ProtocolError ? new ProbeRejectedError(cause.message) : error;
  }
}

function withoutCredentials(endpoint: NetworkEndpoint): EndpointConfig {
  return endpoint.type === 'tcp' ? { ...endpoint, token: null } : { ...endpoint, headers: {} };
}

/** Returns whether an error message indicates that the server requires authentication. */
export function isAuthenticationError(message: string): boolean {
  return /\b40[13]\b|unauthori[sz]ed|forbidden|authenticat|credential/i.test(message);
}
