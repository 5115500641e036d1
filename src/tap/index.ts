export { type UplinkJoin } from './uplink/uplink.js';
export { parseUplinkUrl, type UplinkUrl } from './uplink/uplink-url.js';
export { runTap } from './run-tap.js';
