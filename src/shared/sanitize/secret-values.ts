import { redact } from './redact.js';
import { classifyName, withoutTrailingDigits } from './secret-names.js';

/** Minimum length of a value without a telling name that counts as secret. */
const MIN_VALUE_LENGTH = 8;

/** Words that make a name secret when it ends in one, beyond those that `classifyName` knows. */
const SECRET_WORDS: ReadonlySet<string> = new Set(
  'bearer cred creds dsn jwt key keys otp pass pat pin pw salt sid sig signature'.split(' '),
);
/** Words at the end of a name whose values are shown, because messages and data need them. */
const ORDINARY_WORDS: ReadonlySet<string> = new Set(
  'dir directory editor environment format home id ids lang language level locale mode model name path port region shell team term timeout timezone type tz user username version zone'.split(
    ' ',
  ),
);
/** Headers that contain no secrets. */
const ORDINARY_HEADERS = /^(?:accept(?:-\w+)?|cache-control|connection|content-type|mcp-protocol-version|user-agent)$/i;
/** Words at the end of a name that do not change its meaning. */
const QUALIFIERS: ReadonlySet<string> = new Set(['base64', 'env', 'header', 'hash', 'old', 'new', 'raw', 'value']);

const BOOLEAN = /^(?:true|false|yes|no|on|off|null|none|undefined)$/i;
/** Number, size, duration, version, date or IPv4 address with a port. */
const NUMBER = /^[+-]?v?\d[\d.,:_TZ+-]*(?:[kmgt]?i?b|ms|[smhd%])?$/i;
const PATH = /^(?:~?\/|\.{1,2}(?:\/|$)|[A-Za-z]:[\\/]|\\\\)/;
const KEY_FILE = /^[\w./\\~: -]{1,256}\.(?:pem|key|crt|cer|p12|pfx|json|txt)$/i;
/** Word of an identifier, possibly in camel case, or a short number. */
const IDENTIFIER_WORD = /^(?:[A-Za-z]{1,20}|v?\d{1,4}[a-z]?)$/;
const MAX_IDENTIFIER_WORDS = 3;
const SECRET_IN_VALUE = /secret|token|passw|credential|api[-_]?key/i;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Returns whether the values of a configured name are secret: `API_KEY`, `X-Api-Key`, `dbPass`, `token2`. */
export function isSecretName(name: string): boolean {
  return classifyName(name) !== null || SECRET_WORDS.has(lastWord(name));
}

/** Returns whether the value of a secret name can be a secret: not a switch, a name of a file, nor a number of tokens. */
export function canBeSecret(name: string, value: string): boolean {
  return !BOOLEAN.test(value) && !KEY_FILE.test(value) && !(classifyName(name) === 'TOKEN' && NUMBER.test(value));
}

/** Returns whether the values of a name are shown, such as those of `MODEL`, `SWARM_NAME` and `accept`. */
export function isOrdinaryName(name: string): boolean {
  return ORDINARY_WORDS.has(lastWord(name)) || ORDINARY_HEADERS.test(name);
}

/**
 * Returns whether a value without a telling name counts as secret. Numbers, paths, URLs and identifiers of up to three words do
 * not.
 * @param isVariable whether the value comes from a variable, which counts as secret unless it is a single word
 */
export function isSecretValue(value: string, isVariable: boolean): boolean {
  if (value.length < MIN_VALUE_LENGTH || PATH.test(value) || value.includes('://')) return false;
  if (looksGenerated(value) || SECRET_IN_VALUE.test(value)) return true;
  if (BOOLEAN.test(value) || NUMBER.test(value)) return false;
  const words = value.split(/[-_./@: ]+/);
  return words.length > (isVariable ? 1 : MAX_IDENTIFIER_WORDS) || !words.every((word) => IDENTIFIER_WORD.test(word));
}

/** Returns whether a part of a URL looks secret: a generated text, or a text with a secret name and a number. */
export function isSecretUrlPart(part: string): boolean {
  return (
    looksGenerated(part) ||
    UUID.test(part) ||
    (part.length >= MIN_VALUE_LENGTH && SECRET_IN_VALUE.test(part) && /\d/.test(part))
  );
}

/** Returns whether a text has the form of a key. Words, versions, packages, paths and file names do not. */
export function looksGenerated(text: string): boolean {
  if (redact(text) !== text) return true;
  if (PATH.test(text)) return false;
  return text.split(/[^\w+=~-]+/).some((part) => {
    const isMixed = /[a-z]/.test(part) && /[A-Z]/.test(part) && /\d/.test(part);
    const isLongRun = (run: string): boolean => run.length >= 16 && /[A-Za-z]/.test(run) && /\d/.test(run);
    return (isMixed && part.length >= 12) || part.split(/[-_+=~]+/).some(isLongRun);
  });
}

/** Returns the last word of a name in lower case: `pass` of `dbPass`, `DB_PASS`, `db-pass-2` and `DB_PASS_VALUE`. */
function lastWord(name: string): string {
  const words = name
    .replaceAll(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .map((word) => (QUALIFIERS.has(word) ? word : withoutTrailingDigits(word)))
    .filter((word) => word !== '');
  return words.findLast((word, index) => index === 0 || !QUALIFIERS.has(word)) ?? '';
}
