export * from './answers.js';
export * from './entries.js';
export * from './values.js';
