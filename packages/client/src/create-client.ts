import { Connection } from './connection/connection.js';
import { TokenProvider } from './connection/token-provider.js';
import { assertWebSocketClass, resolveWebSocketUrl } from './connection/websocket.js';
import type { SwarmClientOptions } from './options.js';
import { requestOnce } from './request.js';
import { type Runtime, systemRuntime } from './runtime.js';
import { SubscribedAgentStream } from './streams/agent-stream.js';
import type { BaseStreamDeps } from './streams/base-stream.js';
import { PolledHealthStream } from './streams/health-stream.js';
import { SubscribedMetricsStream } from './streams/metrics-stream.js';
import { SubscribedMessageStream } from './streams/message-stream.js';
import { SubscribedNoticeStream } from './streams/notice-stream.js';
import { SubscribedTaskStream } from './streams/task-stream.js';
import { SubscribedTopologyStream } from './streams/topology-stream.js';
import type { OperationArguments, SwarmClient } from './swarm-client.js';
import type { TypedDocument } from './typed-document.js';

const PING_INTERVAL_MS = 10_000;
const RETRY_DELAY_MS = 500;
const MAX_RETRY_DELAY_MS = 30_000;
const MAX_TOKEN_REJECTIONS = 2;

/**
 * Creates a client. Connects when the first stream, query or mutation needs a connection, so that a page can create the
 * client while it is rendered on a server.
 *
 * @throws TypeError if an option is invalid
 */
export function createSwarmClient(options: SwarmClientOptions): SwarmClient {
  return createSwarmClientWithRuntime(options, systemRuntime);
}

/**
 * Creates a client with another source of time and randomness, for tests.
 *
 * @internal
 */
export function createSwarmClientWithRuntime(options: SwarmClientOptions, runtime: Runtime): SwarmClient {
  const { token, maxHz = null, maxTokenRejections = MAX_TOKEN_REJECTIONS, signal } = options;
  assertWebSocketClass(options.webSocketImpl);
  const retryDelays = {
    retryDelayMs: requirePositive('retryDelayMs', options.retryDelayMs ?? RETRY_DELAY_MS),
    maxRetryDelayMs: requirePositive('maxRetryDelayMs', options.maxRetryDelayMs ?? MAX_RETRY_DELAY_MS),
  };
  const connection = new Connection({
    url: resolveWebSocketUrl(options.url),
    webSocketImpl: options.webSocketImpl,
    tokens: new TokenProvider(token, requirePositive('maxTokenRejections', maxTokenRejections)),
    maxHz: maxHz === null ? null : requirePositive('maxHz', maxHz),
    pingIntervalMs: requirePositive('pingIntervalMs', options.pingIntervalMs ?? PING_INTERVAL_MS),
    runtime,
    ...retryDelays,
  });
  const deps: BaseStreamDeps = { connection, retryDelays, runtime };
  const dispose = async (): Promise<void> => {
    signal?.removeEventListener('abort', onAbort);
    await connection.dispose();
  };
  // `dispose` does not reject.
  const onAbort = (): void => void dispose().catch(() => undefined);
  if (signal?.aborted === true) onAbort();
  else signal?.addEventListener('abort', onAbort, { once: true });
  return {
    connection: connection.state,
    agents: (
      { serverTypes = null, agentTypes = null, swarmIds = null } = {},
      mode = 'NORMAL',
      { includePerformance = true, includeNeural = true, includeTopology = true, signal: streamSignal } = {},
    ) => {
      const includes = { includePerformance, includeNeural, includeTopology };
      return new SubscribedAgentStream(deps, { serverTypes, agentTypes, swarmIds, mode, ...includes }, streamSignal);
    },
    tasks: (request = {}, streamOptions = {}) => new SubscribedTaskStream(deps, request, streamOptions.signal),
    messages: (request = {}, streamOptions = {}) => new SubscribedMessageStream(deps, request, streamOptions.signal),
    topology: (request = {}, streamOptions = {}) => new SubscribedTopologyStream(deps, request, streamOptions.signal),
    metrics: (request = {}, streamOptions = {}) => new SubscribedMetricsStream(deps, request, streamOptions.signal),
    health: (streamOptions = {}) => new PolledHealthStream(deps, streamOptions),
    notices: (streamOptions = {}) => new SubscribedNoticeStream(deps, streamOptions),
    setMaxHz: async (rate) => {
      await connection.setMaxHz(rate === null ? null : requirePositive('maxHz', rate));
    },
    query: async <TResult, TVariables extends Record<string, unknown>>(
      document: TypedDocument<TResult, TVariables>,
      ...[variables, requestOptions]: OperationArguments<TVariables>
    ) => {
      if (isMutation(document)) throw new TypeError('`query` got a mutation. Use `mutate`, which sends it only once.');
      return await requestOnce(connection, document, withDefault(variables), 'RETRY', requestOptions?.signal);
    },
    mutate: async <TResult, TVariables extends Record<string, unknown>>(
      document: TypedDocument<TResult, TVariables>,
      ...[variables, requestOptions]: OperationArguments<TVariables>
    ) => {
      if (!isMutation(document)) throw new TypeError('`mutate` got a query. Use `query`, which retries it.');
      return await requestOnce(connection, document, withDefault(variables), 'FAIL', requestOptions?.signal);
    },
    dispose,
    [Symbol.asyncDispose]: dispose,
  };
}

function withDefault<TVariables extends Record<string, unknown>>(variables: TVariables | undefined): TVariables {
  return variables ?? ({} as TVariables); // OperationArguments makes variables optional only if all of them are
}

function isMutation(document: string): boolean {
  return /^\s*mutation\b/.test(document);
}

/** @throws TypeError if the value is not a positive number */
function requirePositive(name: string, value: number): number {
  if (value > 0) return value;
  throw new TypeError(`\`${name}\` must be a number above 0, not ${value}.`);
}
