import { stripVTControlCharacters } from 'node:util';
import { redact } from './redact.js';

/** Control characters except line feed and tab, and characters that change the text direction. */
const CONTROL_CHARACTERS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g; // eslint-disable-line no-control-regex
const ESCAPE = '\u001b';

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
  const plain = text.includes(ESCAPE) ? stripVTControlCharacters(text) : text;
  return plain.replace(CONTROL_CHARACTERS, '');
}

/** Truncates a text to `maxLength` UTF-16 units without splitting a character. */
export function truncateText(text: string, maxLength: number): string {
  if (text.length <= maxLength) return text;
  const end = /[\ud800-\udbff]/.test(text[maxLength - 1] ?? '') ? maxLength - 1 : maxLength;
  return text.slice(0, end);
}

/** Number of UTF-16 units that are read beyond the limit, because a truncated secret would not be recognized. */
const MARGIN = 16_384;

/** Converts outside text to one line without secrets, control characters and terminal colors, of at most `maxLength` UTF-16 units. */
export function toPrintableLine(text: string, maxLength: number): string {
  const candidate = text.length <= maxLength + MARGIN ? text : text.slice(0, maxLength + MARGIN).replace(/\s\S*$/, '');
  const oneLine = redact(stripControlCharacters(candidate.replaceAll('\r', '\n')))
    .replaceAll(/\s+/g, ' ')
    .trim();
  return truncateText(oneLine, maxLength);
}
