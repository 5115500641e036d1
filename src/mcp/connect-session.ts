import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { SseError } from '@modelcontextprotocol/client';
import { ConnectDeadline } from './connect-deadline.js';
import type { Endpoint, StdioEndpoint, UsableEndpoint } from './endpoint.js';
import { EndpointMemory } from './endpoint-memory.js';
import { ConnectTimeoutError, ToolCallTimeoutError, TransportError } from './errors.js';
import { isModernVersion, isSupportedVersion, SUPPORTED_VERSIONS } from './protocol-versions.js';
import type { ConnectOptions, McpSession } from './session.js';
import { HttpStatusError } from './transports/http/http-errors.js';
import { ScratchDirectory } from './transports/stdio/scratch-directory.js';
import { rootCauseMessage, SdkSession } from './sdk-session.js';
import { createTransport, describeEndpoint, type OpenedTransport } from './create-transport.js';

/**
 * Time in milliseconds after which a server that has not answered `server/discover` gets `initialize` on the same connection.
 * Servers before 2026-07-28 may ignore the unknown request. A server that starts more slowly answers both, in this order.
 */
const PROBE_PATIENCE_MS = 3_000;
/** Most attempts of one call of `connectSession`: one for each finding about the protocol version and the transport. */
const MAX_ATTEMPTS = 3;
/** Shortest `connectTimeoutMs` that is split between two attempts. A shorter half is not enough to start a server. */
const MIN_SPLIT_TIMEOUT_MS = 10_000;
/** Statuses below 500 that do not suggest another transport: authentication, a timeout and a rate limit. */
const UNRELATED_STATUSES: ReadonlySet<number> = new Set([401, 403, 407, 408, 429]);

/** Attempt to connect that failed. */
interface FailedAttempt {
  readonly endpoint: UsableEndpoint;
  readonly opened: OpenedTransport;
  /** Whether the attempt tried an assumption about the server, and a silence suggests another one. */
  readonly isTentative: boolean;
  /** Error as thrown by the session. */
  readonly cause: unknown;
  readonly error: TransportError;
}

/**
 * Starts or reaches a server, performs the handshake and lists its tools. Tries another protocol version or HTTP transport
 * if the failure of an attempt shows that the server needs it.
 * @throws TransportError naming the endpoint and the reason; a process that was started has ended by then
 * @throws the reason of `signal` if it is aborted
 */
export async function connectSession(endpoint: Endpoint, options: ConnectOptions): Promise<McpSession> {
  const { signal, clock, connectTimeoutMs, maxConnectMs = connectTimeoutMs, memory = new EndpointMemory() } = options;
  signal.throwIfAborted();
  if (endpoint.type === 'unusable') throw new TransportError(endpoint.reason);
  if (endpoint.type === 'stdio' && !existsSync(endpoint.cwd)) {
    throw new TransportError(`command "${endpoint.command}": no such directory: ${endpoint.cwd}`);
  }
  const endMs = clock.monotonic() + maxConnectMs;
  const failures: FailedAttempt[] = [];
  for (;;) {
    const outcome = await attempt(endpoint, memory, { ...options, maxConnectMs: endMs - clock.monotonic() });
    if (outcome instanceof SdkSession) return outcome;
    failures.push(outcome);
    const hasLearned = learnEra(outcome, memory) || learnHttpType(outcome, endpoint, memory);
    if (!hasLearned || failures.length === MAX_ATTEMPTS) throw combineFailures(endpoint, failures, memory);
  }
}

/** Connects once, as `memory` suggests. */
async function attempt(
  configured: UsableEndpoint,
  memory: EndpointMemory,
  options: ConnectOptions & { readonly maxConnectMs: number },
): Promise<SdkSession | FailedAttempt> {
  const { signal, clock, logger, serverId, connectTimeoutMs, maxConnectMs } = options;
  const endpoint = withHttpType(configured, memory);
  const scratch =
    options.useScratchDirectory === true && endpoint.type === 'stdio' ? await ScratchDirectory.create() : null;
  const effectiveEndpoint = scratch !== null && endpoint.type === 'stdio' ? scratch.relocate(endpoint) : endpoint;
  const negotiates = (endpoint.type === 'stdio' || endpoint.type === 'http') && memory.era !== 'LEGACY';
  // The rest of the time is left for an attempt with what a silence shows.
  const isTentative =
    connectTimeoutMs >= MIN_SPLIT_TIMEOUT_MS &&
    ((endpoint.type === 'stdio' && negotiates && memory.era === null) ||
      (endpoint.type === 'sse' && memory.httpType === null));
  using deadline = new ConnectDeadline(clock, {
    timeoutMs: connectTimeoutMs,
    maxMs: maxConnectMs,
    silence: isTentative ? { limitMs: connectTimeoutMs / 2, hasReceived: () => opened.transport.hasReceived } : null,
  });
  const opened = createTransport(effectiveEndpoint, {
    clock,
    stderr: {
      onStderr: (line) => {
        deadline.recordProgress();
        logger.debug({ serverId, line }, 'server wrote to stderr');
      },
      onProgress: () => deadline.recordProgress(),
    },
    probePatienceMs: memory.era === 'MODERN' ? null : PROBE_PATIENCE_MS,
  });
  const session = new SdkSession({ opened, scratch, isTapped: endpoint.type === 'tap', negotiates, options });
  try {
    await session.open(deadline);
    if (negotiates) memory.era = opened.transport.supportedVersions.some(isModernVersion) ? 'MODERN' : session.era;
    if (endpoint.type !== configured.type)
      logger.info({ serverId, type: endpoint.type }, `server supports the transport "${endpoint.type}" only`);
    return session;
  } catch (cause) {
    await session[Symbol.asyncDispose]();
    signal.throwIfAborted();
    const message = explain(endpoint, cause, opened);
    const error =
      cause instanceof ToolCallTimeoutError
        ? new ConnectTimeoutError(message, { cause, isSilent: !opened.hasReceived() })
        : new TransportError(message, { cause });
    return { endpoint, opened, isTentative, cause, error };
  }
}

/** Returns whether a failed attempt shows that the server needs a protocol version of the other era, and records it. */
function learnEra({ endpoint, opened, isTentative, cause }: FailedAttempt, memory: EndpointMemory): boolean {
  const { hasProbed, hasReceived, initializeAnswer, supportedVersions } = opened.transport;
  if (memory.era !== 'MODERN' && initializeAnswer === 'ERROR' && supportedVersions.some(isModernVersion)) {
    memory.era = 'MODERN';
    return true;
  }
  if (memory.era === 'LEGACY' && initializeAnswer === 'ERROR') {
    memory.era = null;
    return true;
  }
  const hasEnded = opened.end() !== null;
  const isSilent = (cause instanceof ToolCallTimeoutError && !hasReceived) || hasEnded;
  // A server that ends or hangs at an unknown request needs a new process.
  if (endpoint.type !== 'stdio' || !hasProbed || initializeAnswer !== null || memory.era !== null || !isSilent)
    return false;
  if (supportedVersions.length > 0) return false;
  memory.era = 'LEGACY';
  return hasEnded || isTentative;
}

/** Returns whether a failed attempt suggests the other HTTP transport, and records it. */
function learnHttpType(failed: FailedAttempt, configured: UsableEndpoint, memory: EndpointMemory): boolean {
  if (configured.type !== 'http' && configured.type !== 'sse') return false;
  if (!suggestsOtherHttpType(failed)) return false;
  memory.httpType = failed.endpoint.type === 'http' ? 'sse' : 'http';
  return true;
}

function suggestsOtherHttpType({ endpoint, cause }: FailedAttempt): boolean {
  if (endpoint.type === 'sse' && cause instanceof ToolCallTimeoutError) return true;
  const status =
    cause instanceof HttpStatusError ? cause.status : cause instanceof SseError ? (cause.code ?? null) : null;
  return status !== null && status < 500 && !UNRELATED_STATUSES.has(status);
}

function withHttpType(endpoint: UsableEndpoint, { httpType }: EndpointMemory): UsableEndpoint {
  if (httpType === null || (endpoint.type !== 'http' && endpoint.type !== 'sse')) return endpoint;
  return { ...endpoint, type: httpType };
}

/** Returns the error of an endpoint after all attempts. An attempt with another transport is only worth a mention. */
function combineFailures(
  configured: UsableEndpoint,
  failures: readonly FailedAttempt[],
  memory: EndpointMemory,
): TransportError {
  const own = failures.findLast(({ endpoint }) => endpoint.type === configured.type) ?? failures.at(-1);
  const other = failures.findLast(({ endpoint }) => endpoint.type !== configured.type);
  if (own === undefined) return new TransportError(`${describeEndpoint(configured)}: not connected`);
  if (other === undefined) return own.error;
  memory.httpType = null;
  if (!suggestsOtherHttpType(other)) return other.error;
  const message = `${own.error.message}. The transport "${other.endpoint.type}" failed too: ${rootCauseMessage(other.cause)}. Check "url" and "type" of the server.`;
  const ErrorClass = own.error instanceof ConnectTimeoutError ? ConnectTimeoutError : TransportError;
  return new ErrorClass(message, { cause: own.cause });
}

const TIMEOUT_ADVICE =
  'if it installs packages, raise "connectTimeoutMs" under "swarmlens" of the server, or install them beforehand';

function explain(endpoint: UsableEndpoint, error: unknown, opened: OpenedTransport): string {
  const where = describeEndpoint(endpoint);
  const { supportedVersions } = opened.transport;
  if (supportedVersions.length > 0 && !supportedVersions.some(isSupportedVersion)) {
    return `${where}: the server supports only the MCP versions ${supportedVersions.join(', ')}, and swarmlens only ${SUPPORTED_VERSIONS.join(', ')}. Update the server or swarmlens.`;
  }
  if (endpoint.type === 'stdio' && error instanceof Error && 'code' in error) {
    const reason = explainStart(endpoint, error.code);
    if (reason !== null) return reason;
  }
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
