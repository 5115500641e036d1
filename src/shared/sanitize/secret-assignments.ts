import { classifyName, REDACTED } from './secret-names.js';

/** A name, whole, and what follows it: `"apiKey": `, `password=`; in JSON inside JSON its quotes are escaped. */
const ASSIGNED = /(?<![\w-])([\w-]{2,64})(\\{0,3}["'])?[ \t]{0,4}[:=][:=>]?[ \t]{0,4}/g;

/** Where a value without quotes ends. */
const VALUE = /[^\s"'\\&,;<>`]+/y;
/** Of headers whose values have spaces. */
const LINE = /[^\r\n"'\\]+/y;
const HAS_SPACES = /(?:authorization|cookies?)$/i;
const OPENING = /(\\{0,7})(["'])/y;
const NOTHING = /^(?:null|true|false|undefined|none|nil)?$/i;
const COUNT = /^\d+(?:\.\d+)?$/;
const CLOSING = /[)\]}.]+$/;
/** `Unexpected token: x` tells of no token. */
const MIN_TOKEN_LENGTH = 8;

/** The values of `name=value`, `name: value` and `"name": "value"` whose name says that they are secret. */
export function redactAssignments(text: string): string {
  let clean = '';
  let done = 0;
  ASSIGNED.lastIndex = 0;
  for (let match = ASSIGNED.exec(text); match !== null; match = ASSIGNED.exec(text)) {
    const [whole, name = '', quote = ''] = match;
    const verdict = classifyName(name);
    if (verdict === null) continue;
    const start = match.index + whole.length;
    const value = valueAt(text, start, HAS_SPACES.test(name));
    if (!isSecret(value, verdict === 'TOKEN')) continue;
    // JSON stays JSON.
    const replacement = quote === '' || value.isQuoted ? REDACTED : `${quote}${REDACTED}${quote}`;
    clean += text.slice(done, value.start) + replacement;
    done = value.end;
    ASSIGNED.lastIndex = done;
  }
  return done === 0 ? text : clean + text.slice(done);
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

function valueAt(text: string, at: number, hasSpaces: boolean): Value {
  OPENING.lastIndex = at;
  const opening = OPENING.exec(text);
  if (opening !== null) {
    const [whole, { length: depth } = '', quote = ''] = opening;
    const start = at + whole.length;
    const end = endOfQuoted(text, start, quote, depth);
    if (end !== null) return { text: text.slice(start, end), start, end, isQuoted: true };
    return bareAt(text, start, hasSpaces);
  }
  return bareAt(text, at, hasSpaces);
}

function bareAt(text: string, start: number, hasSpaces: boolean): Value {
  const pattern = hasSpaces ? LINE : VALUE;
  pattern.lastIndex = start;
  const found = pattern.exec(text)?.[0] ?? '';
  // An object or a list: its names speak for themselves.
  if (/^[[{]/.test(found) && !found.startsWith(REDACTED)) return { text: '', start, end: start, isQuoted: false };
  const value = found.startsWith(REDACTED) ? REDACTED : found.replace(CLOSING, '');
  return { text: value, start, end: start + value.length, isQuoted: false };
}

/** @param depth backslashes before the opening quote: as many, less escaped ones, stand before the closing one */
function endOfQuoted(text: string, start: number, quote: string, depth: number): number | null {
  for (let at = text.indexOf(quote, start); at !== -1; at = text.indexOf(quote, at + 1)) {
    let backslashes = 0;
    while (at - backslashes > start && text[at - backslashes - 1] === '\\') backslashes += 1;
    if (backslashes % (2 * (depth + 1)) === depth) return at - depth;
  }
  return null;
}
