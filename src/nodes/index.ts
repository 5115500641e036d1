export { type Claim, type Claimed, type OtherNodes, type Ownership } from './ownership.js';
export { soleOwner } from './sole-owner.js';
export { Leases } from './leases.js';
export { type SharedPicture } from './lease.js';
