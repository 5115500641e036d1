export * from './answers.js';
export * from './coding-agents.js';
export * from './entries.js';
export * from './values.js';
