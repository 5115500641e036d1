export * from './clock.js';
export * from './errors.js';
export * from './file-changes.js';
export * from './listeners.js';
