import { guessServerType } from '../adapters/index.js';
import type { McpServer, McpServerType } from '../domain/index.js';
import { BREAKER_DEFAULTS, EASE_IN_MS, type PoolSettings, RESTART_DEFAULTS } from '../replicas/index.js';
import { type ServerSettings, transportKind } from './settings.js';

/** A server of which nothing is known but the configuration. */
export function newServer(settings: ServerSettings, type: McpServerType): McpServer {
  return {
    id: settings.id,
    type,
    families: [type],
    name: settings.id,
    version: null,
    transport: transportKind(settings.endpoint),
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
export function guessedType(settings: ServerSettings): McpServerType | null {
  const { endpoint } = settings;
  return endpoint.type === 'stdio' ? guessServerType(endpoint.command, endpoint.args) : null;
}

/** How its endpoints are kept and asked. */
export function poolSettings(settings: ServerSettings, expectedType: McpServerType, heartbeatMs: number): PoolSettings {
  return {
    serverId: settings.id,
    endpoints: [settings.endpoint, ...(settings.replicas ?? [])],
    expectedType,
    sticky: settings.sticky ?? null,
    timeoutMs: settings.timeoutMs,
    connectTimeoutMs: settings.connectTimeoutMs,
    heartbeatMs,
    easeInMs: EASE_IN_MS,
    breaker: { ...BREAKER_DEFAULTS, ...settings.breaker },
    restart: { ...RESTART_DEFAULTS, ...settings.restart },
  };
}
