import { redactAssignments } from './secret-assignments.js';
import { REDACTED } from './secret-names.js';

/**
 * Something of every secret that is known here: nearly no text has it, and it is looked for in all of them. Each pattern
 * in this room begins only where the one before it on the same text cannot go on, or is bounded, so that none goes over a
 * text more than a few times.
 */
const HINTS = [
  /-----BEGIN|:\/\/[^\s/@]*@|A[KS]IA|gh[opsur]_|github_pat_|gl[a-z]{2,5}-|xox[a-z]-|xapp-|slack\.com|[rs]k_(?:live|test)|whsec_|AIza|npm_/,
  /eyJ|(?:^|[^0-9A-Za-z])sk-/,
  /(?:passw|passphrase|pwd|secret|key|authorization|credential|cookie|session.?id|token)[\w-]{0,24}\\{0,3}["']?[ \t]{0,4}[:=]|(?:bearer|basic) /i,
] as const;

/** A private key: up to its end, or where that was cut off, its lines. No quotes, so that JSON stays JSON. */
const PEM =
  /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----(?:[\w+/=\s\\:,.()@]*(?:-{1,4}[\w+/=\s\\:,.()@]+){0,99}-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|(?:\s|\\[nr])*(?:[A-Za-z0-9+/]{20,}={0,2}(?:\s|\\[nr])*)*)/g;
/** `scheme://user:password@host`: the host and what comes before the user stay. */
const CREDENTIALS_IN_URL = /:\/\/[^\s/:@"'<>\\]{0,256}:[^\s/"'<>\\]*@/g;
/** Three to five parts in base64url, joined by dots. */
const DOTTED = /(?<![\w-])[\w-]{10,}(?:\.[\w-]{4,}){2,4}/g;
/** Each kind of key has a beginning of its own. */
const KEYS = [
  /A(?:KIA|SIA)[0-9A-Z]{16}/g,
  /gh[opsur]_[0-9A-Za-z]{20,}|github_pat_\w{20,}/g,
  /gl(?:pat|dt|rt|ptt|cbt|soat|oas|agent|ft|imt)-[\w-]{16,}/g,
  /xox[a-z]-[\w-]{10,}|xapp-[\w-]{10,}|hooks\.slack\.com\/(?:services|workflows)\/[\w/]{16,}/g,
  /(?<![0-9A-Za-z])[rs]k_(?:live|test)_[0-9A-Za-z]{10,}|whsec_[\w+/=]{16,}/g,
  /AIza[\w-]{35}/g,
  /npm_[0-9A-Za-z]{36}/g,
];
/** OpenAI's and Anthropic's; words joined by dashes are none. */
const SK_KEY = /(?<![0-9A-Za-z])sk-[\w-]{20,}/g;
const BEARER = /(Bearer) +([\w.~+/=:-]{8,})/gi;
const BASIC = /(Basic) +([\w+/-]{6,}={0,2})/gi;
/** Words after "Bearer": authentication, authorization. */
const WORD = /^[A-Za-z]{1,20}[.:]?$/;

/** Where one secret was taken out, another that it ran into can be told from what is before it. */
const MAX_PASSES = 4;

/**
 * A text without the secrets in it that are known by what they look like, or by the name before them.
 * Takes time in proportion to the text's length, whatever is in it.
 */
export function redact(text: string): string {
  if (!mayContainSecret(text)) return text;
  let clean = text;
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
    .replace(DOTTED, withoutJwt)
    .replace(SK_KEY, (found) => (/\d/.test(found) ? REDACTED : found));
  for (const key of KEYS) clean = clean.replace(key, REDACTED);
  clean = clean
    .replace(BEARER, (found, scheme: string, token: string) => (WORD.test(token) ? found : `${scheme} ${REDACTED}`))
    .replace(BASIC, (found, scheme: string, token: string) => (isPair(token) ? `${scheme} ${REDACTED}` : found));
  return redactAssignments(clean);
}

/** Whether a text may hold a secret: `false` is certain. */
export function mayContainSecret(text: string): boolean {
  return HINTS[0].test(text) || HINTS[1].test(text) || HINTS[2].test(text);
}

/** A JSON Web Token begins with the base64 of `{"`. */
function withoutJwt(parts: string): string {
  const start = parts.indexOf('eyJ');
  return start === -1 || parts.slice(start).split('.').length < 3 ? parts : parts.slice(0, start) + REDACTED;
}

/** Of a user and a password. */
function isPair(base64: string): boolean {
  const text = Buffer.from(base64, 'base64').toString('latin1');
  return /^[\x20-\x39\x3b-\x7e]*:[\x20-\x7e]*$/.test(text);
}
