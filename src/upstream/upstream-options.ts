import { guessServerType, type ServerMapping } from '../adapters/index.js';
import type { McpServer, McpServerType, TransportKind } from '../model/index.js';
import type { Endpoint, EndpointConfig } from '../mcp/index.js';
import {
  BREAKER_DEFAULTS,
  type BreakerOptions,
  type PoolOptions,
  RESTART_DEFAULTS,
  type RestartOptions,
  SLOW_START_MS,
} from './pool/pool-options.js';

/** What the collector has to know of one server. */
export interface UpstreamOptions {
  readonly id: string;
  readonly endpoint: Endpoint;
  /** `null`: found out from the command line, or from the server's own name and tools. */
  readonly serverType: McpServerType | null;
  /** No matter how much is wanted, it is not polled more often. */
  readonly maxPollHz: number;
  /** Of its time that polls may take; above 0, at most 1. */
  readonly maxPollShare: number;
  /** Tools that clients may call. */
  readonly allowTools: readonly string[];
  /** Of one call. */
  readonly timeoutMs: number;
  readonly connectTimeoutMs: number;
  /** How a server of type `CUSTOM` is read. */
  readonly mapping?: ServerMapping;
  /** More endpoints of the same logical server. */
  readonly replicas?: readonly EndpointConfig[];
  /** All calls go to one endpoint until that fails; left out: as the type of server has it. */
  readonly sticky?: boolean;
  /** What is left out has its default. */
  readonly breaker?: Partial<BreakerOptions>;
  readonly restart?: Partial<RestartOptions>;
  /** Once it has been gone for so long that its agents are removed, it is removed itself: it is in no configuration. */
  readonly removeWhenExpired?: boolean;
}

const KINDS: Readonly<Record<Endpoint['type'], TransportKind>> = {
  stdio: 'STDIO',
  http: 'HTTP',
  sse: 'SSE',
  tcp: 'TCP',
  ws: 'WS',
  tap: 'TAP',
};

export function toTransportKind(endpoint: Endpoint): TransportKind {
  return KINDS[endpoint.type];
}

/** A server of which nothing is known but the configuration. */
export function initialServer(settings: UpstreamOptions, type: McpServerType): McpServer {
  return {
    id: settings.id,
    type,
    agentServerTypes: [type],
    name: settings.id,
    version: null,
    transport: toTransportKind(settings.endpoint),
    status: 'CONNECTING',
    tools: [],
    stale: false,
    staleSince: null,
    simulated: false,
    connectedAt: null,
    lastError: null,
  };
}

/** The family that the command line speaks of; `null` when it does not, or there is none. */
export function guessConfiguredType(settings: UpstreamOptions): McpServerType | null {
  const { endpoint } = settings;
  return endpoint.type === 'stdio' ? guessServerType(endpoint.command, endpoint.args) : null;
}

/** How its endpoints are kept and asked. */
export function toPoolOptions(
  settings: UpstreamOptions,
  expectedType: McpServerType,
  heartbeatMs: number,
): PoolOptions {
  return {
    serverId: settings.id,
    endpoints: [settings.endpoint, ...(settings.replicas ?? [])],
    expectedType,
    sticky: settings.sticky ?? null,
    timeoutMs: settings.timeoutMs,
    connectTimeoutMs: settings.connectTimeoutMs,
    heartbeatMs,
    slowStartMs: SLOW_START_MS,
    breaker: { ...BREAKER_DEFAULTS, ...settings.breaker },
    restart: { ...RESTART_DEFAULTS, ...settings.restart },
  };
}
