export { Collector, noSuchServer, type PollOutcome } from './collector.js';
export { Demand } from './demand.js';
export { type ServerHealth, type ServerSettings, type ToolResult } from './settings.js';
