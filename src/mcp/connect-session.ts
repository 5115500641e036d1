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
 * Starts or reaches a server, greets it and asks for its tools.
 * @throws TransportError saying what could not be reached, and why; what was started has ended by then
 * @throws the signal's reason, when `signal` was aborted
 */
export async function connectSession(endpoint: Endpoint, options: ConnectOptions): Promise<McpSession> {
  const { signal, connectTimeoutMs, clock, logger, serverId } = options;
  signal.throwIfAborted();
  if (endpoint.type === 'stdio' && !existsSync(endpoint.cwd)) {
    throw new TransportError(`command "${endpoint.command}": no such directory: ${endpoint.cwd}`);
  }
  const scratch =
    options.useScratchDirectory === true && endpoint.type === 'stdio' ? await ScratchDirectory.create() : null;
  const where = scratch !== null && endpoint.type === 'stdio' ? scratch.relocate(endpoint) : endpoint;
  const opened = createTransport(where, clock, (line) => logger.debug({ serverId, line }, 'server wrote to stderr'));
  // Without a version negotiation, which would start a second child just to ask.
  const client = new Client({ name: 'swarmlens', version: '1' }, { capabilities: {} });
  const session = new SdkSession({ client, opened, scratch, isTapped: endpoint.type === 'tap', options });
  const giveUp = new AbortController();
  const abort = (): void => giveUp.abort();
  signal.addEventListener('abort', abort, { once: true });
  const timer = scheduleDeadline(clock, connectTimeoutMs, abort);
  try {
    // Some transports do not heed a signal while they start.
    const givenUp = new Promise<never>((_resolve, reject) => {
      giveUp.signal.addEventListener('abort', () => reject(new HandshakeTimeoutError()), { once: true });
      if (signal.aborted) abort();
    });
    await Promise.race([session.open(giveUp.signal), givenUp]);
    return session;
  } catch (error) {
    await session[Symbol.asyncDispose]();
    signal.throwIfAborted();
    const reason = giveUp.signal.aborted ? `no answer within ${connectTimeoutMs} ms` : rootCauseMessage(error);
    throw new TransportError(explain(endpoint, error, opened, reason), { cause: error });
  } finally {
    timer[Symbol.dispose]();
    signal.removeEventListener('abort', abort);
  }
}

/** In time. */
class HandshakeTimeoutError extends Error {
  override readonly name = 'NoAnswer';
}

function explain(endpoint: Endpoint, error: unknown, opened: OpenedTransport, reason: string): string {
  if (endpoint.type === 'stdio' && error instanceof Error && 'code' in error && error.code === 'ENOENT') {
    return `command not found: ${endpoint.command} (in ${endpoint.cwd})`;
  }
  // It knows better than what came of it, such as that the server hung up.
  if (error instanceof TransportError) return `${describeEndpoint(endpoint)}: ${error.message}`;
  return `${describeEndpoint(endpoint)}: ${opened.end()?.reason ?? reason}${opened.diagnosticTail()}`;
}
