export { createGuard, type Guard, type GuardOptions, type GuardStatus, type GuardTransition } from './guard.js';
