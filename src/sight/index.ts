export { type Sight, Sights, type SightsDeps } from './sights.js';
export { type WatchedServers } from './servers.js';
