export { Collector, noSuchServer, type PollOutcome } from './collector.js';
export { Demand } from './demand.js';
export { type ServerSettings } from './settings.js';
