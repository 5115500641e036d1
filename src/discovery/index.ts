export { type DiscoveryCandidate, type CandidateStatus, type NetworkEndpoint } from './candidate.js';
export { DiscoveryCache } from './candidates.js';
export { discoverServers, type DiscoverOptions } from './discover.js';
