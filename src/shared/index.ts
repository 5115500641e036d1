export * from './clock.js';
export * from './errors.js';
export * from './listeners.js';
export * from './pulse.js';
