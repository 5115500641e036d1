import { guessServerType, type ServerMapping } from '../adapters/index.js';
import type { Endpoint, EndpointConfig } from '../mcp/index.js';
import type { McpServer, McpServerType, ServerOrigin, TransportKind } from '../model/index.js';
import { type BreakerOptions, type PoolOptions, type RestartOptions, SLOW_START_MS } from './pool/pool-options.js';

/** Options of one upstream server. `config` fills in the defaults. */
export interface UpstreamOptions {
  /** Id of the server, 1 to 64 characters without a colon, because it is the first part of the ids of its agents. */
  readonly id: string;
  readonly endpoint: Endpoint;
  /** Server type. Null if it is detected from the command line, or from the server's name and tools. */
  readonly serverType: McpServerType | null;
  /** Maximum number of polls per second. */
  readonly maxPollHz: number;
  /** Maximum share of the server's time that polls may take; above 0, at most 1. */
  readonly maxPollShare: number;
  /** Names of the tools that clients may call. */
  readonly allowTools: readonly string[];
  /** Timeout of one call, including its retries, in milliseconds. */
  readonly timeoutMs: number;
  /** Timeout of one connection attempt in milliseconds, including the start of a command and the handshake. */
  readonly connectTimeoutMs: number;
  /** Mapping for servers of type `CUSTOM`. Null for other types. */
  readonly mapping: ServerMapping | null;
  /** Further endpoints of the same server. */
  readonly replicas: readonly EndpointConfig[];
  /** Whether all calls go to one replica until it fails. Null for the default of the server type. */
  readonly sticky: boolean | null;
  readonly breaker: BreakerOptions;
  readonly restart: RestartOptions;
  /**
   * Whether the server is removed together with its agents when it has been offline for `removeAfterMs`.
   * @default false
   */
  readonly removeWhenExpired?: boolean;
  /** Processes and directory of a tapped server. Omitted for other servers. */
  readonly origin?: ServerOrigin | undefined;
}

const TRANSPORT_KINDS: Readonly<Record<Exclude<Endpoint['type'], 'unusable'>, TransportKind>> = {
  stdio: 'STDIO',
  http: 'HTTP',
  sse: 'SSE',
  tcp: 'TCP',
  ws: 'WS',
  tap: 'TAP',
};

export function toTransportKind(endpoint: Endpoint): TransportKind {
  return TRANSPORT_KINDS[endpoint.type === 'unusable' ? endpoint.transport : endpoint.type];
}

/** Returns the state of a server that has never been connected. */
export function initialServer(
  { id, endpoint }: Pick<UpstreamOptions, 'id' | 'endpoint'>,
  type: McpServerType,
): McpServer {
  return {
    id,
    type,
    agentServerTypes: [type],
    name: id,
    version: null,
    transport: toTransportKind(endpoint),
    status: 'CONNECTING',
    tools: [],
    stale: false,
    staleSince: null,
    simulated: false,
    connectedAt: null,
    lastError: null,
  };
}

/** Returns the server type that a command line suggests. Null if it suggests none, or there is no command. */
export function guessConfiguredType({ endpoint }: Pick<UpstreamOptions, 'endpoint'>): McpServerType | null {
  return endpoint.type === 'stdio' ? guessServerType(endpoint.command, endpoint.args) : null;
}

/** Returns the options of a server's replica pool. */
export function toPoolOptions(options: UpstreamOptions, expectedType: McpServerType, heartbeatMs: number): PoolOptions {
  const { id, endpoint, replicas, sticky, timeoutMs, connectTimeoutMs, breaker, restart } = options;
  return {
    serverId: id,
    endpoints: [endpoint, ...replicas],
    expectedType,
    sticky,
    timeoutMs,
    connectTimeoutMs,
    heartbeatMs,
    slowStartMs: SLOW_START_MS,
    breaker,
    restart,
  };
}
