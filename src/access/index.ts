export { type ScopedServices, AccessScopes, type AccessScopesDeps } from './access-scopes.js';
export { type UpstreamService } from './scoped-upstreams.js';
