export { tapAddress } from './address.js';
export { runTap } from './run.js';
