export { type Claim, type Claimed, type OtherNodes, type Ownership } from './ownership.js';
export { soleOwner } from './sole-owner.js';
