export { type ScopedServices, AccessScopes, type AccessScopesDeps } from './sights.js';
export { type UpstreamService } from './servers.js';
