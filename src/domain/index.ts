export * from './agent.js';
export * from './events.js';
export * from './ids.js';
export * from './report.js';
export * from './server.js';
export * from './swarm.js';
export * from './topology.js';
export * from './vocabulary.js';
