/**
 * What a name says of its value. SECRET: whatever it is, nobody is to see it. TOKEN: a text is a credential, and a
 * number is a count of what a language model reads and writes.
 */
export type SecretNameKind = 'SECRET' | 'TOKEN' | null;

/** What follows the word without making it another thing: `passwordHash`, `apiKeyValue`, `secret2`. */
const QUALIFIER = '(?:hash|value|header|text|string|raw|plain|base64|old|new|current|confirm|confirmation|env)?\\d*$';
const SECRET = new RegExp(
  `(?:password|passwd|passphrase|pwd|secrets?|(?:api|private|access|secret|signing|encryption|account|shared|auth|ssh|master)keys?|authorization|credentials?|cookies?|mcpsessionid)${QUALIFIER}`,
);
const TOKEN = new RegExp(`tokens?${QUALIFIER}`);

/** Longer names are known by their end. */
const MAX_NAME_LENGTH = 64;
/** Names repeat: of an object's fields in every poll. */
const MAX_REMEMBERED = 4_096;
const remembered = new Map<string, SecretNameKind>();

/** By the end of a name: `client_secret`, `apiKey` and `X-Api-Key` are secret, `secretary` and `token_usage` are not. */
export function classifyName(name: string): SecretNameKind {
  const known = remembered.get(name);
  if (known !== undefined) return known;
  const verdict = judge(name);
  if (remembered.size >= MAX_REMEMBERED) remembered.clear();
  // A long name would keep the text alive that it was cut from.
  if (name.length <= MAX_NAME_LENGTH) remembered.set(name, verdict);
  return verdict;
}

function judge(name: string): SecretNameKind {
  // In an environment these are directories.
  if (name === 'PWD' || name === 'OLDPWD') return null;
  const plain = name
    .slice(-MAX_NAME_LENGTH)
    .toLowerCase()
    .replace(/[^a-z0-9]/g, '');
  if (SECRET.test(plain)) return 'SECRET';
  return TOKEN.test(plain) ? 'TOKEN' : null;
}

/** What stands where a secret stood. */
export const REDACTED = '[redacted]';
