export { UpstreamRegistry, unknownServerError, type PollOutcome } from './collector.js';
export { Demand } from './demand.js';
export { type UpstreamOptions } from './settings.js';
