import { existsSync } from 'node:fs';
import { Client } from '@modelcontextprotocol/client';
import { scheduleDeadline } from '../shared/index.js';
import type { Endpoint } from './endpoint.js';
import { TransportError } from './errors.js';
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
  if (endpoint.type === 'stdio' && !existsSync(endpoint.cwd)) {
    throw new TransportError(`command "${endpoint.command}": no such directory: ${endpoint.cwd}`);
  }
  const scratch =
    options.useScratchDirectory === true && endpoint.type === 'stdio' ? await ScratchDirectory.create() : null;
  const effectiveEndpoint = scratch !== null && endpoint.type === 'stdio' ? scratch.relocate(endpoint) : endpoint;
  const opened = createTransport(effectiveEndpoint, clock, (line) =>
    logger.debug({ serverId, line }, 'server wrote to stderr'),
  );
  // Version negotiation is off: it would start a second child process.
  const client = new Client({ name: 'swarmlens', version: '1' }, { capabilities: {} });
  const session = new SdkSession({ client, opened, scratch, isTapped: endpoint.type === 'tap', options });
  const handshakeAbort = new AbortController();
  const abort = (): void => handshakeAbort.abort();
  signal.addEventListener('abort', abort, { once: true });
  const timer = scheduleDeadline(clock, connectTimeoutMs, abort);
  try {
    // Some transports ignore the signal while they start.
    const timedOut = new Promise<never>((_resolve, reject) => {
      handshakeAbort.signal.addEventListener('abort', () => reject(new HandshakeTimeoutError()), { once: true });
      if (signal.aborted) abort();
    });
    await Promise.race([session.open(handshakeAbort.signal), timedOut]);
    return session;
  } catch (error) {
    await session[Symbol.asyncDispose]();
    signal.throwIfAborted();
    const reason = handshakeAbort.signal.aborted ? `no answer within ${connectTimeoutMs} ms` : rootCauseMessage(error);
    throw new TransportError(explain(endpoint, error, opened, reason), { cause: error });
  } finally {
    timer[Symbol.dispose]();
    signal.removeEventListener('abort', abort);
  }
}

/** Rejection of a handshake that took longer than `connectTimeoutMs` or was aborted. */
class HandshakeTimeoutError extends Error {
  override readonly name = 'HandshakeTimeoutError';
}

function explain(endpoint: Endpoint, error: unknown, opened: OpenedTransport, reason: string): string {
  if (endpoint.type === 'stdio' && error instanceof Error && 'code' in error && error.code === 'ENOENT') {
    return `command not found: ${endpoint.command} (in ${endpoint.cwd})`;
  }
  // More specific than its consequence, such as the closed connection.
  if (error instanceof TransportError) return `${describeEndpoint(endpoint)}: ${error.message}`;
  return `${describeEndpoint(endpoint)}: ${opened.end()?.reason ?? reason}${opened.diagnosticTail()}`;
}
