/**
 * Classification of a name. SECRET: every value is secret. TOKEN: a text is a credential, and a number is a token count of a language
 * model. Null: not secret.
 */
export type SecretNameKind = 'SECRET' | 'TOKEN' | null;

/** Digits and suffixes that do not change the meaning of a secret name: `passwordHash`, `apiKeyValue`, `secret2`. */
const QUALIFIER = /(?:hash|value|header|text|string|raw|plain|base64|old|new|current|confirm|confirmation|env)$/;
const SECRET =
  /(?:password|passwd|passphrase|pwd|secrets?|(?:api|private|access|secret|signing|encryption|account|shared|auth|ssh|master)keys?|authorization|credentials?|cookies?|mcpsessionid)$/;
const TOKEN = /tokens?$/;

/** Number of characters at the end of a name that are checked. */
const MAX_NAME_LENGTH = 64;
/** Maximum number of cached classifications. The same names occur in every poll. */
const MAX_CACHED_NAMES = 4_096;
const cache = new Map<string, SecretNameKind>();

/** Classifies a name by its end: `client_secret`, `apiKey` and `X-Api-Key` are secret, `secretary` and `token_usage` are not. */
export function classifyName(name: string): SecretNameKind {
  const cached = cache.get(name);
  if (cached !== undefined) return cached;
  const verdict = classify(name);
  if (cache.size >= MAX_CACHED_NAMES) cache.clear();
  // A long name may be a slice that keeps a large text in memory.
  if (name.length <= MAX_NAME_LENGTH) cache.set(name, verdict);
  return verdict;
}

function classify(name: string): SecretNameKind {
  // These environment variables contain directories.
  if (name === 'PWD' || name === 'OLDPWD') return null;
  const plain = name
    .slice(-MAX_NAME_LENGTH)
    .toLowerCase()
    .replace(/[^a-z0-9]/g, '');
  const unnumbered = withoutTrailingDigits(plain);
  for (const candidate of [plain, unnumbered, plain.replace(QUALIFIER, ''), unnumbered.replace(QUALIFIER, '')]) {
    if (SECRET.test(candidate)) return 'SECRET';
    if (TOKEN.test(candidate)) return 'TOKEN';
  }
  return null;
}

/** Removes the number at the end of a name. */
export function withoutTrailingDigits(text: string): string {
  let end = text.length;
  while (end > 0 && /\d/.test(text[end - 1] ?? '')) end -= 1;
  return text.slice(0, end);
}

/** Placeholder for a removed secret. */
export const REDACTED = '[redacted]';
