export * from './clock.js';
export * from './errors.js';
export * from './file-changes.js';
export * from './hint.js';
export * from './listeners.js';
export * from './server-name.js';
export * from './tap-protocol.js';
export * from './pulse.js';
