import { classifyName, REDACTED } from './secret-names.js';

/**
 * Word, and its separator if it is a name: `"apiKey": `, `password=`. Quotes are escaped in JSON inside JSON. Matches every word, which
 * keeps it linear.
 */
const WORD = /([\w-]+)(?:(\\{0,3}["'])?[ \t]{0,4}([:=])[:=>]?[ \t]{0,4})?/g;
const MIN_NAME_LENGTH = 2;

/** Value without quotes. */
const VALUE = /[^\s"'\\&,;<>`]+/y;
/** Value of a header that may contain spaces. */
const LINE = /[^\r\n"'\\]+/y;
const HAS_SPACES = /(?:authorization|cookies?)$/i;
const OPENING = /(\\{0,7})(["'])/y;
const NOTHING = /^(?:null|true|false|undefined|none|nil)?$/i;
const COUNT = /^\d+(?:\.\d+)?$/;
const CLOSING: ReadonlySet<string | undefined> = new Set(')]}.');
/** Minimum length of an unquoted token, so that `Unexpected token: x` stays unchanged. */
const MIN_TOKEN_LENGTH = 8;

/** Redacts the values of `name=value`, `name: value` and `"name": "value"` with secret names. */
export function redactAssignments(text: string): string {
  let clean = '';
  let copiedUntil = 0;
  WORD.lastIndex = 0;
  for (let match = WORD.exec(text); match !== null; match = WORD.exec(text)) {
    const [whole, name = '', quote = '', separator] = match;
    const verdict = separator === undefined || name.length < MIN_NAME_LENGTH ? null : classifyName(name);
    if (verdict === null) continue;
    const start = match.index + whole.length;
    const value = readValue(text, start, HAS_SPACES.test(name));
    if (!isSecret(value, verdict === 'TOKEN')) continue;
    // The replacement keeps JSON valid.
    const replacement = quote === '' || value.isQuoted ? REDACTED : `${quote}${REDACTED}${quote}`;
    clean += text.slice(copiedUntil, value.start) + replacement;
    copiedUntil = value.end;
    WORD.lastIndex = copiedUntil;
  }
  return copiedUntil === 0 ? text : clean + text.slice(copiedUntil);
}

interface Value {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  readonly isQuoted: boolean;
}

function isSecret({ text, isQuoted }: Value, isToken: boolean): boolean {
  if (text === '' || text === REDACTED || (!isQuoted && NOTHING.test(text))) return false;
  return !isToken || (!COUNT.test(text) && (isQuoted || text.length >= MIN_TOKEN_LENGTH));
}

function readValue(text: string, at: number, hasSpaces: boolean): Value {
  OPENING.lastIndex = at;
  const opening = OPENING.exec(text);
  if (opening !== null) {
    const [whole, { length: depth } = '', quote = ''] = opening;
    const start = at + whole.length;
    const end = findClosingQuote(text, start, quote, depth);
    if (end !== null) return { text: text.slice(start, end), start, end, isQuoted: true };
    return readUnquoted(text, start, hasSpaces);
  }
  return readUnquoted(text, at, hasSpaces);
}

function readUnquoted(text: string, start: number, hasSpaces: boolean): Value {
  const unquoted = (end: number): Value => ({ text: text.slice(start, end), start, end, isQuoted: false });
  if (text.startsWith(REDACTED, start)) return unquoted(start + REDACTED.length);
  // Names inside an object or list are checked separately. The value is not read, because it may contain many of them.
  if (text[start] === '[' || text[start] === '{') return unquoted(start);
  const pattern = hasSpaces ? LINE : VALUE;
  pattern.lastIndex = start;
  let end = pattern.test(text) ? pattern.lastIndex : start;
  while (end > start && CLOSING.has(text[end - 1])) end -= 1;
  return unquoted(end);
}

/**
 * Returns the end of a quoted value. Null if the closing quote is missing.
 * @param depth number of backslashes before the opening quote, which equals the unescaped ones before the closing quote
 */
function findClosingQuote(text: string, start: number, quote: string, depth: number): number | null {
  for (let at = text.indexOf(quote, start); at !== -1; at = text.indexOf(quote, at + 1)) {
    let backslashes = 0;
    while (at - backslashes > start && text[at - backslashes - 1] === '\\') backslashes += 1;
    if (backslashes % (2 * (depth + 1)) === depth) return at - depth;
  }
  return null;
}
