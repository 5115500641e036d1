export {
  type SanitizeStats,
  PROTOTYPE_KEYS,
  DEFAULT_SANITIZE_LIMITS,
  type SanitizeResult,
  sanitizeJson,
  type SanitizeLimits,
  sanitizeJsonText,
} from './sanitize-json.js';
export { redact } from './redact.js';
export { configuredSecrets, protectSecrets } from './configured-secrets.js';
export { MIN_SECRET_LENGTH, SecretRedactor } from './secret-redactor.js';
export { classifyName, REDACTED } from './secret-names.js';
export { hasControlCharacters, isSingleLine, toPrintableLine } from './printable.js';
