export {
  type SanitizeStats,
  PROTOTYPE_KEYS,
  DEFAULT_SANITIZE_LIMITS,
  type SanitizeResult,
  sanitizeJson,
  type SanitizeLimits,
  sanitizeJsonText,
} from './json.js';
export { redact } from './redact.js';
export { REDACTED } from './redacted.js';
export { hasControlCharacters, isSingleLine, toPrintableLine } from './text.js';
