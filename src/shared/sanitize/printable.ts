import { redact } from './redact.js';

/** Control characters except line feed and tab, and characters that change the text direction. */
const CONTROL_CHARACTERS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g; // eslint-disable-line no-control-regex

/**
 * Escape sequences of terminals (ECMA-48): CSI sequences, strings up to their terminator, and sequences of two or three characters.
 * A string contains no character that begins a sequence, so that no character is matched twice. The patterns of Node.js and of
 * ansi-regex take quadratic time.
 */
const ESCAPE_SEQUENCES =
  // eslint-disable-next-line no-control-regex
  /(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]?|(?:\u001b[\]PX^_]|[\u0090\u0098\u009d-\u009f])[^\u0007\u001b\u0090\u0098\u009b-\u009f]*(?:\u0007|\u001b\\|\u009c)|\u001b(?:[#%()*+./-][0-~]|[0-9A-NP-RTZcf-nq-uy=><~])/g;
const BEGINS_SEQUENCE = /[\u001b\u0090\u0098\u009b\u009d-\u009f]/; // eslint-disable-line no-control-regex

/** Characters that ids and names must not contain: control characters, line ends, and direction changes. */
const FORBIDDEN_IN_LINE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/; // eslint-disable-line no-control-regex

export function isSingleLine(text: string): boolean {
  return !FORBIDDEN_IN_LINE.test(text);
}

export function hasControlCharacters(text: string): boolean {
  // Not `test`, because a global pattern keeps its `lastIndex`.
  return text.search(CONTROL_CHARACTERS) !== -1;
}

/** Removes control characters and terminal colors. Keeps line breaks. */
export function stripControlCharacters(text: string): string {
  if (!hasControlCharacters(text)) return text;
  const plain = BEGINS_SEQUENCE.test(text) ? text.replace(ESCAPE_SEQUENCES, '') : text;
  return plain.replace(CONTROL_CHARACTERS, '');
}

/** Truncates a text to `maxLength` UTF-16 units without splitting a character. */
export function truncateText(text: string, maxLength: number): string {
  if (text.length <= maxLength) return text;
  const end = /[\ud800-\udbff]/.test(text[maxLength - 1] ?? '') ? maxLength - 1 : maxLength;
  return text.slice(0, end);
}

/** Number of UTF-16 units that are read beyond a limit, because a truncated secret would not be recognized. */
export const READ_MARGIN = 16_384;

/**
 * Truncates a text before anything else is done with it. Keeps some more than `maxLength` UTF-16 units, up to a space, so that a
 * secret within the limit is complete.
 */
export function truncateBeforeRedaction(text: string, maxLength: number): string {
  if (text.length <= maxLength + READ_MARGIN) return text;
  return text.slice(0, maxLength + READ_MARGIN).replace(/\s\S*$/, '');
}

/**
 * Converts outside text to one line without secrets, control characters and terminal colors, of at most `maxLength` UTF-16 units.
 * @param isIncomplete whether the end of the text is missing, so that it may end within a secret
 */
export function toPrintableLine(text: string, maxLength: number, isIncomplete = false): string {
  const candidate = truncateBeforeRedaction(text, maxLength);
  const isCut = isIncomplete || candidate.length < text.length;
  const oneLine = redact(stripControlCharacters(candidate.replaceAll('\r', '\n')), isCut)
    .replaceAll(/\s+/g, ' ')
    .trim();
  return truncateText(oneLine, maxLength);
}
