export { type Candidate, type CandidateStatus, type NetworkEndpoint } from './candidate.js';
export { Candidates } from './candidates.js';
export { discover, type DiscoverOptions } from './discover.js';
