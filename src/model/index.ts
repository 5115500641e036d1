export * from './agent-fields.js';
export * from './agent.js';
export * from './events.js';
export * from './ids.js';
export * from './origin.js';
export * from './report.js';
export * from './restriction.js';
export * from './server.js';
export * from './swarm.js';
export * from './task.js';
export * from './tool-caller.js';
export * from './topology.js';
export * from './enums.js';
export {
  createCandidate,
  type CandidateStatus,
  DEFAULT_PROBE_TIMEOUT_MS,
  type DiscoveryCandidate,
  type NetworkEndpoint,
  type ProbeResult,
} from './discovery.js';
