import { stripVTControlCharacters } from 'node:util';
import { redact } from './redact.js';

/** Control characters but for line feed and tab, and characters that turn the direction of what follows. */
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g; // eslint-disable-line no-control-regex
const ESCAPE = '\u001b';

/** What no id and no name has: control characters, ends of lines, and what turns the direction. */
const UNFIT_FOR_A_LINE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/; // eslint-disable-line no-control-regex

export function isSingleLine(text: string): boolean {
  return !UNFIT_FOR_A_LINE.test(text);
}

export function hasControlCharacters(text: string): boolean {
  // Not `test`: a global pattern remembers where it was.
  return text.search(CONTROLS) !== -1;
}

/** A text without control characters and terminal colours; lines stay lines. */
export function stripControlCharacters(text: string): string {
  if (!hasControlCharacters(text)) return text;
  const plain = text.includes(ESCAPE) ? stripVTControlCharacters(text) : text;
  return plain.replace(CONTROLS, '');
}

/** At most so many UTF-16 units, and no half of a character at the end. */
export function truncateText(text: string, maxLength: number): string {
  if (text.length <= maxLength) return text;
  const end = /[\ud800-\udbff]/.test(text[maxLength - 1] ?? '') ? maxLength - 1 : maxLength;
  return text.slice(0, end);
}

/** What is read beyond what is kept, up to the last space in it: a secret that is cut through is not known any more. */
const MARGIN = 16_384;

/**
 * In one line without secrets, control characters and terminal colours, at most `maxLength` UTF-16 units: what a server
 * writes is data.
 */
export function toPrintableLine(text: string, maxLength: number): string {
  const whole = text.length <= maxLength + MARGIN ? text : text.slice(0, maxLength + MARGIN).replace(/\s\S*$/, '');
  const oneLine = redact(stripControlCharacters(whole.replaceAll('\r', '\n')))
    .replaceAll(/\s+/g, ' ')
    .trim();
  return truncateText(oneLine, maxLength);
}
