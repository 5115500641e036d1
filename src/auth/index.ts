export { type Authenticator, type AuthOptions, createAuthenticator, anonymousAuthenticator } from './authenticator.js';
export { InsecureModeWarning } from './insecure-mode-warning.js';
export { type JwtKey, type JwtOptions, ASYMMETRIC_ALGORITHMS, HMAC_ALGORITHMS } from './jwt.js';
export { hashSecret, createStaticToken } from './static-token.js';
export { updateTokenFile, readTokenFile, type StoredToken, TokenFileError } from './token-file.js';
export {
  ANONYMOUS_VIEWER,
  type Permission,
  PERMISSIONS,
  requireFullAccess,
  requirePermission,
  type Viewer,
} from './viewer.js';
