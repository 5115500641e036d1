export {
  type SanitizeStats,
  PROTOTYPE_KEYS,
  DEFAULT_SANITIZE_LIMITS,
  type SanitizeResult,
  sanitizeJson,
  type SanitizeLimits,
  sanitizeJsonText,
  sanitizeJsonInTurns,
  sanitizeJsonTextInTurns,
} from './sanitize-json.js';
export { redact } from './redact.js';
export { collectSecrets } from './collect-secrets.js';
export { isSecretName } from './secret-values.js';
export { protectSecrets } from './configured-secrets.js';
export { SecretRedactor } from './secret-redactor.js';
export { REDACTED } from './secret-names.js';
export { hasControlCharacters, isSingleLine, toPrintableLine } from './printable.js';
