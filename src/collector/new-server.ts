import { guessServerType } from '../adapters/index.js';
import type { McpServer, McpServerType } from '../domain/index.js';
import { BREAKER_DEFAULTS, SLOW_START_MS, type PoolOptions, RESTART_DEFAULTS } from '../replicas/index.js';
import { type UpstreamOptions, toTransportKind } from './settings.js';

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
