import { configuredSecrets } from './configured-secrets.js';
import { redactPrivateKeys } from './private-keys.js';
import { redactAssignments } from './secret-assignments.js';
import { REDACTED } from './secret-names.js';

/**
 * Patterns that match a part of every known secret format. Nearly no text matches, so that they allow a fast check. No pattern of
 * this folder can match one character in two ways, so that matching takes linear time; `npm run check` proves it.
 */
const HINTS = [
  /:\/\/[^\s/@]*@/,
  /-----BEGIN|A[KS]IA|gh[opsur]_|github_pat_|gl(?:pat|dt|rt|ptt|cbt|soat|oas|agent|ft|imt)-|xox[a-z]-|xapp-|slack\.com|[rs]k_(?:live|test)|whsec_|AIza|npm_/,
  /eyJ|(?:^|[^0-9A-Za-z])sk-/,
  /(?:bearer|basic) /i,
] as const;
/** Part of a secret name, whose value follows `ASSIGNMENT`. */
const NAME_HINT = /passw|passphrase|pwd|secret|key|authorization|credential|cookie|session.?id|token/gi;
const ASSIGNMENT = /[\w\\"' \t-]{0,32}[:=]/y;

/** Credentials in `scheme://user:password@host`. Scheme and host are kept. */
const CREDENTIALS_IN_URL = /:\/\/[^\s/:@"'<>\\]*:[^\s/"'<>\\]*@/g;
/** Base64url parts joined by dots, of which a JSON Web Token has three to five. Matches single words too, which keeps it linear. */
const DOTTED = /[\w-]+(?:\.[\w-]+)*/g;
const MAX_JWT_PARTS = 5;
/** Beginning of the first part of a JSON Web Token: the base64 of `{"`. */
const JWT_PREFIX = 'eyJ';
const MIN_JWT_HEADER_LENGTH = 10;
const MIN_JWT_PART_LENGTH = 4;
/** Keys with a known prefix: the text before the key, which is kept, the part after the prefix, and its minimum length. */
const KEYS: readonly (readonly [pattern: RegExp, minLength: number])[] = [
  [/()A(?:KIA|SIA)([0-9A-Z]+)/g, 16],
  [/()gh[opsur]_([0-9A-Za-z]+)/g, 20],
  [/()github_pat_(\w+)/g, 20],
  [/()gl(?:pat|dt|rt|ptt|cbt|soat|oas|agent|ft|imt)-([\w-]+)/g, 16],
  [/()xox[a-z]-([\w-]+)/g, 10],
  [/()xapp-([\w-]+)/g, 10],
  [/()hooks\.slack\.com\/(?:services|workflows)\/([\w/]+)/g, 16],
  [/(^|[^0-9A-Za-z])[rs]k_(?:live|test)_([0-9A-Za-z]+)/g, 10],
  [/()whsec_([\w+/=]+)/g, 16],
  [/()AIza([\w-]+)/g, 35],
  [/()npm_([0-9A-Za-z]+)/g, 36],
];
/** Key of OpenAI or Anthropic. Words joined by dashes are excluded by requiring a digit. */
const SK_KEY = /(^|[^0-9A-Za-z])sk-([\w-]+)/g;
const MIN_SK_KEY_LENGTH = 20;
const BEARER = /(Bearer) +([\w.~+/=:-]{8,})/gi;
const BASIC = /(Basic) +([\w+/-]{6,}={0,2})/gi;
/** Ordinary word after "Bearer", such as "authentication". */
const ORDINARY_WORD = /^[A-Za-z]{1,20}[.:]?$/;

/** Maximum number of passes. Removing one secret may reveal an adjacent one. */
const MAX_PASSES = 4;

/**
 * Replaces secrets of the configuration, and secrets that are recognizable by their format or by the name before them. Takes time
 * proportional to the length of the text.
 * @param isCut whether the end of the text was removed, so that it may end within a secret of the configuration
 */
export function redact(text: string, isCut = false): string {
  let clean = configuredSecrets().redact(text, isCut);
  if (!matchesHint(clean)) return clean;
  for (let pass = 0; pass < MAX_PASSES; pass += 1) {
    const next = redactOnce(clean);
    if (next === clean) break;
    clean = next;
  }
  return clean;
}

function redactOnce(text: string): string {
  let clean = redactPrivateKeys(text)
    .replace(CREDENTIALS_IN_URL, `://${REDACTED}@`)
    .replace(DOTTED, redactJwts)
    .replace(SK_KEY, (match, before: string, key: string) =>
      key.length >= MIN_SK_KEY_LENGTH && /\d/.test(key) ? before + REDACTED : match,
    );
  for (const [pattern, minLength] of KEYS) {
    clean = clean.replace(pattern, (match, before: string, key: string) =>
      key.length >= minLength ? before + REDACTED : match,
    );
  }
  clean = clean
    .replace(BEARER, (match, scheme: string, token: string) =>
      ORDINARY_WORD.test(token) ? match : `${scheme} ${REDACTED}`,
    )
    .replace(BASIC, (match, scheme: string, token: string) =>
      isCredentialPair(token) ? `${scheme} ${REDACTED}` : match,
    );
  return redactAssignments(clean);
}

/** Returns whether a text may contain a secret. False is certain. */
export function mayContainSecret(text: string): boolean {
  return matchesHint(text) || configuredSecrets().occursIn(text);
}

function matchesHint(text: string): boolean {
  return HINTS.some((hint) => hint.test(text)) || hasSecretName(text);
}

function hasSecretName(text: string): boolean {
  NAME_HINT.lastIndex = 0;
  while (NAME_HINT.test(text)) {
    ASSIGNMENT.lastIndex = NAME_HINT.lastIndex;
    if (ASSIGNMENT.test(text)) return true;
  }
  return false;
}

/** Redacts the JSON Web Tokens among parts that are joined by dots. */
function redactJwts(dotted: string): string {
  if (!dotted.includes(JWT_PREFIX)) return dotted;
  const parts = dotted.split('.');
  const clean: string[] = [];
  for (let index = 0; index < parts.length; index += 1) {
    const part = parts[index] ?? '';
    const start = part.indexOf(JWT_PREFIX);
    let end = index + 1;
    while (end < index + MAX_JWT_PARTS && (parts[end]?.length ?? 0) >= MIN_JWT_PART_LENGTH) end += 1;
    const isJwt = start !== -1 && part.length >= MIN_JWT_HEADER_LENGTH && end >= index + 3;
    clean.push(isJwt ? part.slice(0, start) + REDACTED : part);
    if (isJwt) index = end - 1;
  }
  return clean.join('.');
}

/** Returns whether a base64 text decodes to `user:password`. */
function isCredentialPair(base64: string): boolean {
  const text = Buffer.from(base64, 'base64').toString('latin1');
  return /^[\x20-\x39\x3b-\x7e]*:[\x20-\x7e]*$/.test(text);
}
