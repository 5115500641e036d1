export { checkServers, type CheckServersDeps, type ServerCheck } from './check-servers.js';
export { discoverCodingAgents } from './discovery/coding-agents.js';
export { discoverServers } from './discovery/discover.js';
export { MCP_JSON_FILE } from './discovery/mcp-json.js';
export { DiscoveryCache } from './discovery/discovery-cache.js';
export type { BreakerOptions, RestartOptions } from './pool/pool-options.js';
export { TapRegistry } from './tap-registry.js';
export type { UpstreamOptions } from './upstream-options.js';
export { type PollOutcome, unknownServerError, UpstreamRegistry } from './upstream-registry.js';
