export { type Authenticator, type AuthOptions, createAuthenticator, NO_AUTHENTICATION } from './authenticator.js';
export { parseDuration } from './duration.js';
export { InsecureReminder } from './insecure-reminder.js';
export { type JwtKey, type JwtOptions, KEY_ALGORITHMS, SECRET_ALGORITHMS } from './jwt.js';
export { hashOf, newToken } from './token.js';
export { changeTokenFile, readTokenFile, type StoredToken, TokenFileError } from './token-file.js';
export { EVERYONE, type Permission, PERMISSIONS, requirePermission, type Viewer } from './viewer.js';
