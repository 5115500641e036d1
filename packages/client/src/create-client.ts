import { SubscribedAgentStream } from './streams/agent-stream.js';
import { requestOnce } from './request.js';
import { type Runtime, systemRuntime } from './runtime.js';
import { Connection } from './connection/connection.js';
import { PolledHealthStream } from './streams/health-stream.js';
import type { BaseStreamDeps } from './streams/base-stream.js';
import { SubscribedMetricsStream } from './streams/metrics-stream.js';
import { SubscribedNoticeStream } from './streams/notice-stream.js';
import type { TypedDocument } from './typed-document.js';
import type { SwarmClientOptions } from './options.js';
import { resolveWebSocketClass, resolveWebSocketUrl } from './connection/websocket.js';
import type { OperationArguments, SwarmClient } from './swarm-client.js';
import { TokenProvider } from './connection/token-provider.js';
import { SubscribedTopologyStream } from './streams/topology-stream.js';

const PING_EVERY_MS = 10_000;
const FIRST_RETRY_MS = 500;
const MAX_RETRY_MS = 30_000;
const MAX_REFUSALS = 2;

/**
 * A client of swarmlens. It connects when something first needs it.
 *
 * @throws TypeError an option is not what it should be, or there is no WebSocket here
 */
export function createSwarmClient(options: SwarmClientOptions): SwarmClient {
  return createSwarmClientWithRuntime(options, systemRuntime);
}

/** The same with a clock and a die of one's own. @internal */
export function createSwarmClientWithRuntime(options: SwarmClientOptions, surroundings: Runtime): SwarmClient {
  const { token, maxHz = null, maxTokenRejections = MAX_REFUSALS, signal } = options;
  const pauses = {
    retryDelayMs: above0('firstRetryMs', options.retryDelayMs ?? FIRST_RETRY_MS),
    maxRetryDelayMs: above0('maxRetryMs', options.maxRetryDelayMs ?? MAX_RETRY_MS),
  };
  const connection = new Connection({
    url: resolveWebSocketUrl(options.url),
    socketClass: resolveWebSocketClass(options.webSocketImpl),
    tokens: new TokenProvider(token, above0('maxRefusals', maxTokenRejections)),
    maxHz: maxHz === null ? null : above0('maxHz', maxHz),
    pingEveryMs: above0('pingEveryMs', options.pingIntervalMs ?? PING_EVERY_MS),
    surroundings,
    ...pauses,
  });
  const deps: BaseStreamDeps = { connection, pauses, surroundings };
  const dispose = async (): Promise<void> => {
    signal?.removeEventListener('abort', onAbort);
    await connection.dispose();
  };
  // Nothing in it fails.
  const onAbort = (): void => void dispose().catch(() => undefined);
  if (signal?.aborted === true) onAbort();
  else signal?.addEventListener('abort', onAbort, { once: true });
  return {
    connection: connection.state,
    agents: ({ serverTypes = null, agentTypes = null, swarmIds = null } = {}, mode = 'NORMAL', more = {}) => {
      const { includePerformance = true, includeNeural = true, includeTopology = true } = more;
      const includes = { includePerformance, includeNeural, includeTopology };
      return new SubscribedAgentStream(deps, { serverTypes, agentTypes, swarmIds, mode, ...includes }, more.signal);
    },
    topology: (request = {}, more = {}) => new SubscribedTopologyStream(deps, request, more.signal),
    metrics: (request = {}, more = {}) => new SubscribedMetricsStream(deps, request, more.signal),
    health: (more = {}) => new PolledHealthStream(deps, more),
    notices: (more = {}) => new SubscribedNoticeStream(deps, more),
    query: async <TResult, TVariables extends Record<string, unknown>>(
      document: TypedDocument<TResult, TVariables>,
      ...[variables, more]: OperationArguments<TVariables>
    ) => {
      if (isMutation(document)) throw new TypeError('a mutation is run with `mutate`, which sends it once');
      return await requestOnce(connection, document, given(variables), 'AGAIN', more?.signal);
    },
    mutate: async <TResult, TVariables extends Record<string, unknown>>(
      document: TypedDocument<TResult, TVariables>,
      ...[variables, more]: OperationArguments<TVariables>
    ) => {
      if (!isMutation(document)) throw new TypeError('a query is run with `query`, which asks again where it has to');
      return await requestOnce(connection, document, given(variables), 'FAIL', more?.signal);
    },
    dispose,
    [Symbol.asyncDispose]: dispose,
  };
}

/** Variables are left out only where the document needs none. */
function given<TVariables extends Record<string, unknown>>(variables: TVariables | undefined): TVariables {
  return variables ?? ({} as TVariables); // see above
}

function isMutation(document: string): boolean {
  return /^\s*mutation\b/.test(document);
}

/** @throws TypeError it is not */
function above0(name: string, value: number): number {
  if (value > 0) return value;
  throw new TypeError(`\`${name}\` must be a number above 0, not ${value}`);
}
