import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { ConnectDeadline } from './connect-deadline.js';
import type { Endpoint, StdioEndpoint, UsableEndpoint } from './endpoint.js';
import { ConnectTimeoutError, ToolCallTimeoutError, TransportError } from './errors.js';
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
  using deadline = new ConnectDeadline(clock, connectTimeoutMs, options.maxConnectMs ?? connectTimeoutMs);
  const opened = createTransport(effectiveEndpoint, clock, {
    onStderr: (line) => {
      deadline.recordProgress();
      logger.debug({ serverId, line }, 'server wrote to stderr');
    },
    onProgress: () => deadline.recordProgress(),
  });
  const session = new SdkSession({ opened, scratch, isTapped: endpoint.type === 'tap', options });
  try {
    await session.open(deadline);
    return session;
  } catch (error) {
    await session[Symbol.asyncDispose]();
    signal.throwIfAborted();
    const message = explain(endpoint, error, opened);
    throw error instanceof ToolCallTimeoutError
      ? new ConnectTimeoutError(message, { cause: error })
      : new TransportError(message, { cause: error });
  }
}

const TIMEOUT_ADVICE =
  'if it installs packages, raise "connectTimeoutMs" under "swarmlens" of the server, or install them beforehand';

function explain(endpoint: UsableEndpoint, error: unknown, opened: OpenedTransport): string {
  if (endpoint.type === 'stdio' && error instanceof Error && 'code' in error) {
    const reason = explainStart(endpoint, error.code);
    if (reason !== null) return reason;
  }
  const where = describeEndpoint(endpoint);
  // More specific than its consequence, such as the closed connection.
  if (error instanceof TransportError) return `${where}: ${error.message}`;
  const end = opened.end()?.reason;
  if (end === undefined && error instanceof ToolCallTimeoutError && endpoint.type === 'stdio')
    return `${where}: ${error.message} – ${TIMEOUT_ADVICE}${opened.diagnosticTail()}`;
  return `${where}: ${end ?? rootCauseMessage(error)}${opened.diagnosticTail()}`;
}

/** Explains the system error of a command that cannot be started. Null if the error is another one. */
function explainStart({ command, cwd }: StdioEndpoint, code: unknown): string | null {
  if (code === 'EACCES') return `command cannot be executed: ${command} (in ${cwd}) – make the file executable`;
  if (code !== 'ENOENT') return null;
  if (/[\\/]/.test(command) && existsSync(resolve(cwd, command)))
    return `interpreter not found: the program in the first line of ${command} (in ${cwd}) does not exist`;
  const advice = /\s/.test(command) ? ' – write its arguments in "args"' : '';
  return `command not found: ${command} (in ${cwd})${advice}`;
}
