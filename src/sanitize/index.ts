export {
  type Changes,
  PROTOTYPE_NAMES,
  SANITIZE_LIMITS,
  type Sanitized,
  sanitizeJson,
  type SanitizeLimits,
  sanitizeText,
} from './json.js';
export { redact } from './redact.js';
export { REDACTED } from './redacted.js';
export { hasControls, isOneLine, printable } from './text.js';
