export { buildUplinkUrl } from './address.js';
export { runTap } from './run.js';
