import { ProtocolError } from '@modelcontextprotocol/client';
import { connectSession, type EndpointConfig, TransportError } from '../../mcp/index.js';
import type { Clock } from '../../shared/index.js';
import type { Logger } from '../../telemetry/index.js';
import type { ProbeResult, NetworkEndpoint } from '../../model/index.js';

export interface ProbeOptions {
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** It speaks JSON-RPC, and this is what it says: another transport would not make a difference. */
export class ProbeRejectedError extends Error {
  override readonly name = 'RefusalError';
}

/**
 * Greets an MCP server, asks for its tools and leaves. Sends neither credentials nor anything else of ours.
 * @throws Error saying why there is no greeting; never later than `timeoutMs`
 */
export async function probeEndpoint(endpoint: NetworkEndpoint, options: ProbeOptions): Promise<ProbeResult> {
  const { signal, timeoutMs, clock, logger } = options;
  try {
    await using session = await connectSession(bare(endpoint), {
      serverId: 'discovery',
      signal,
      connectTimeoutMs: timeoutMs,
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

function bare(endpoint: NetworkEndpoint): EndpointConfig {
  return endpoint.type === 'tcp' ? { ...endpoint, token: null } : { ...endpoint, headers: {} };
}

/** Whether an error says that the server wants to know who asks. */
export function isAuthenticationError(message: string): boolean {
  return /\b40[13]\b|unauthori[sz]ed|forbidden|authenticat|credential/i.test(message);
}
