import { Client } from '@modelcontextprotocol/client';
import { messageOf } from '../shared/index.js';
import type { EndpointConfig } from './endpoint.js';
import { TransportError } from './errors.js';
import type { ConnectOptions } from './options.js';
import { ScratchDirectory } from './scratch.js';
import { SdkSession } from './sdk-session.js';
import type { McpSession } from './session.js';
import { createTransport, describeEndpoint } from './transport.js';

/**
 * Starts or reaches a server, greets it and asks for its tools.
 * @throws TransportError saying what could not be reached, and why
 */
export async function connectSession(endpoint: EndpointConfig, options: ConnectOptions): Promise<McpSession> {
  const { signal, connectTimeoutMs, logger, serverId } = options;
  signal.throwIfAborted();
  const scratch =
    options.observeHarmlessly === true && endpoint.type === 'stdio' ? await ScratchDirectory.create() : null;
  const where = scratch !== null && endpoint.type === 'stdio' ? scratch.relocate(endpoint) : endpoint;
  const opened = createTransport(where, (line) => logger.debug({ serverId, line }, 'server wrote to stderr'));
  const client = new Client({ name: 'swarmlens', version: '1' }, { capabilities: {} });
  const session = new SdkSession({ client, opened, scratch, options });
  try {
    await session.open(AbortSignal.any([signal, AbortSignal.timeout(connectTimeoutMs)]));
    return session;
  } catch (error) {
    await session[Symbol.asyncDispose]();
    signal.throwIfAborted();
    throw new TransportError(explain(endpoint, error, opened.lastWords(), connectTimeoutMs), { cause: error });
  }
}

function explain(endpoint: EndpointConfig, error: unknown, lastWords: string, connectTimeoutMs: number): string {
  const what = describeEndpoint(endpoint);
  if (isMissing(error) && endpoint.type === 'stdio')
    return `command not found: ${endpoint.command} (in ${endpoint.cwd})`;
  const timedOut = error instanceof Error && (error.name === 'TimeoutError' || error.name === 'AbortError');
  const reason = timedOut ? `no answer within ${connectTimeoutMs} ms` : causeOf(error);
  return `${what}: ${reason}${lastWords === '' ? '' : ` (it wrote: ${lastWords})`}`;
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

/** `fetch failed` says nothing; what caused it does. */
function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return messageOf(error);
  return error.cause instanceof Error && error.cause.message !== '' ? error.cause.message : error.message;
}
