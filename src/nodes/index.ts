export { type OwnershipCandidate, type OwnershipClaim, type RemoteServers, type Ownership } from './ownership.js';
export { singleNodeOwnership } from './sole-owner.js';
export { LeaseManager } from './leases.js';
export { type SnapshotSync } from './lease.js';
