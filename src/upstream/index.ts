export { UpstreamRegistry, unknownServerError, type PollOutcome } from './upstream-registry.js';
export { type UpstreamOptions } from './upstream-options.js';
export { checkServers, type ServerCheck } from './check-servers.js';
export { discoverServers } from './discovery/discover.js';
export { DiscoveryCache } from './discovery/discovery-cache.js';
export { TapRegistry } from './tap-registry.js';
