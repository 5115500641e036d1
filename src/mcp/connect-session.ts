import { existsSync } from 'node:fs';
import type { Endpoint, UsableEndpoint } from './endpoint.js';
import { ToolCallTimeoutError, TransportError } from './errors.js';
import type { ConnectOptions, McpSession } from './session.js';
import { ScratchDirectory } from './transports/stdio/scratch-directory.js';
import { rootCauseMessage, SdkSession } from './sdk-session.js';
import { createTransport, describeEndpoint, type OpenedTransport } from './create-transport.js';

/**
 * Starts or reaches a server, performs the handshake and lists its tools.
 * @throws TransportError naming the endpoint and the reason; a process that was started has ended by then
 * @throws the reason of `signal` if it is aborted
 */
export async function connectSession(endpoint: Endpoint, options: ConnectOptions): Promise<McpSession> {
  const { signal, connectTimeoutMs, clock, logger, serverId } = options;
  signal.throwIfAborted();
  if (endpoint.type === 'unusable') throw new TransportError(endpoint.reason);
  if (endpoint.type === 'stdio' && !existsSync(endpoint.cwd)) {
    throw new TransportError(`command "${endpoint.command}": no such directory: ${endpoint.cwd}`);
  }
  const scratch =
    options.useScratchDirectory === true && endpoint.type === 'stdio' ? await ScratchDirectory.create() : null;
  const effectiveEndpoint = scratch !== null && endpoint.type === 'stdio' ? scratch.relocate(endpoint) : endpoint;
  const opened = createTransport(effectiveEndpoint, clock, (line) =>
    logger.debug({ serverId, line }, 'server wrote to stderr'),
  );
  const session = new SdkSession({ opened, scratch, isTapped: endpoint.type === 'tap', options });
  try {
    await session.open();
    return session;
  } catch (error) {
    await session[Symbol.asyncDispose]();
    signal.throwIfAborted();
    const isLate = error instanceof ToolCallTimeoutError;
    const reason = isLate ? `no answer within ${connectTimeoutMs} ms` : rootCauseMessage(error);
    throw new TransportError(explain(endpoint, error, opened, reason), { cause: error });
  }
}

function explain(endpoint: UsableEndpoint, error: unknown, opened: OpenedTransport, reason: string): string {
  if (endpoint.type === 'stdio' && error instanceof Error && 'code' in error && error.code === 'ENOENT') {
    return `command not found: ${endpoint.command} (in ${endpoint.cwd})`;
  }
  // More specific than its consequence, such as the closed connection.
  if (error instanceof TransportError) return `${describeEndpoint(endpoint)}: ${error.message}`;
  return `${describeEndpoint(endpoint)}: ${opened.end()?.reason ?? reason}${opened.diagnosticTail()}`;
}
