export { buildUplinkUrl } from './uplink/uplink-url.js';
export { runTap } from './run-tap.js';
