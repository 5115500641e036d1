import { configuredSecrets } from './configured-secrets.js';
import { redactAssignments } from './secret-assignments.js';
import { REDACTED } from './secret-names.js';

/**
 * Patterns that match a part of every known secret format. Nearly no text matches, so that they allow a fast check. Every pattern
 * of this folder has bounded or non-overlapping repetitions, so that matching takes linear time.
 */
const HINTS = [
  /-----BEGIN|:\/\/[^\s/@]*@|A[KS]IA|gh[opsur]_|github_pat_|gl[a-z]{2,5}-|xox[a-z]-|xapp-|slack\.com|[rs]k_(?:live|test)|whsec_|AIza|npm_/,
  /eyJ|(?:^|[^0-9A-Za-z])sk-/,
  /(?:passw|passphrase|pwd|secret|key|authorization|credential|cookie|session.?id|token)[\w\\"' \t-]{0,32}[:=]|(?:bearer|basic) /i,
] as const;

/** Private key up to its end line, or all its lines if the end is missing. Excludes quotes, so that JSON stays valid. */
const PEM =
  /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----(?:[\w+/=\s\\:,.()@]*(?:-{1,4}[\w+/=\s\\:,.()@]+){0,99}-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|(?:\s|\\[nr])*(?:[A-Za-z0-9+/]{20,}={0,2}(?:\s|\\[nr])*)*)/g;
/** Credentials in `scheme://user:password@host`. Scheme and host are kept. */
const CREDENTIALS_IN_URL = /:\/\/[^\s/:@"'<>\\]{0,256}:[^\s/"'<>\\]*@/g;
/** Base64url parts joined by dots, of which a JSON Web Token has three to five. Matches single words too, which keeps it linear. */
const DOTTED = /[\w-]+(?:\.[\w-]+)*/g;
const MAX_JWT_PARTS = 5;
/** Beginning of the first part of a JSON Web Token: the base64 of `{"`. */
const JWT_PREFIX = 'eyJ';
const MIN_JWT_HEADER_LENGTH = 10;
const MIN_JWT_PART_LENGTH = 4;
/** Keys with a known prefix. */
const KEYS = [
  /A(?:KIA|SIA)[0-9A-Z]{16}/g,
  /gh[opsur]_[0-9A-Za-z]{20,}|github_pat_\w{20,}/g,
  /gl(?:pat|dt|rt|ptt|cbt|soat|oas|agent|ft|imt)-[\w-]{16,}/g,
  /xox[a-z]-[\w-]{10,}|xapp-[\w-]{10,}|hooks\.slack\.com\/(?:services|workflows)\/[\w/]{16,}/g,
  /(?<![0-9A-Za-z])[rs]k_(?:live|test)_[0-9A-Za-z]{10,}|whsec_[\w+/=]{16,}/g,
  /AIza[\w-]{35}/g,
  /npm_[0-9A-Za-z]{36}/g,
];
/** Key of OpenAI or Anthropic. Words joined by dashes are excluded by requiring a digit. */
const SK_KEY = /(?<![0-9A-Za-z])sk-[\w-]{20,}/g;
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
  let clean = text
    .replace(PEM, REDACTED)
    .replace(CREDENTIALS_IN_URL, `://${REDACTED}@`)
    .replace(DOTTED, redactJwts)
    .replace(SK_KEY, (match) => (/\d/.test(match) ? REDACTED : match));
  for (const key of KEYS) clean = clean.replace(key, REDACTED);
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
  return HINTS[0].test(text) || HINTS[1].test(text) || HINTS[2].test(text);
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
