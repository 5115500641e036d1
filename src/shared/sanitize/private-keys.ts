import { REDACTED } from './secret-names.js';

const BEGIN = /-----BEGIN ([A-Z0-9 ]*)-----/g;
/** Lines of a key up to five dashes. Excludes quotes, so that JSON stays valid. */
const BODY = /[\w+/=\s\\:,.()@]*(?:-{1,4}[\w+/=\s\\:,.()@]+)*/y;
const END = /-----END ([A-Z0-9 ]*)-----/y;
/** Base64 line of a key whose end is missing. */
const LINE = /(?:\s|\\[nr])*([A-Za-z0-9+/]+)={0,2}/y;
const TRAILING_LINE_ENDS = /(?:\s|\\[nr])*/y;
const MIN_LINE_LENGTH = 20;

/** Redacts private keys in PEM format up to their end line, or all their lines if the end is missing. */
export function redactPrivateKeys(text: string): string {
  if (!text.includes('-----BEGIN ')) return text;
  let clean = '';
  let copiedUntil = 0;
  BEGIN.lastIndex = 0;
  for (let match = BEGIN.exec(text); match !== null; match = BEGIN.exec(text)) {
    if (isPrivateKeyLabel(match[1] ?? '')) {
      clean += text.slice(copiedUntil, match.index) + REDACTED;
      copiedUntil = findKeyEnd(text, BEGIN.lastIndex);
      BEGIN.lastIndex = copiedUntil;
    } else {
      // These dashes may begin the next line.
      BEGIN.lastIndex -= 5;
    }
  }
  return clean + text.slice(copiedUntil);
}

function isPrivateKeyLabel(label: string): boolean {
  return label.endsWith('PRIVATE KEY') || label.endsWith('PRIVATE KEY BLOCK');
}

/** @param start end of the first line */
function findKeyEnd(text: string, start: number): number {
  const end = matchAt(END, text, matchAt(BODY, text, start)?.end ?? start);
  if (end !== null && isPrivateKeyLabel(end.group)) return end.end;
  let keyEnd = start;
  for (let line = matchAt(LINE, text, start); line !== null; line = matchAt(LINE, text, keyEnd)) {
    if (line.group.length < MIN_LINE_LENGTH) break;
    keyEnd = line.end;
  }
  return matchAt(TRAILING_LINE_ENDS, text, keyEnd)?.end ?? keyEnd;
}

/** Matches a sticky pattern. Returns its end and its first group. */
function matchAt(
  pattern: RegExp,
  text: string,
  start: number,
): { readonly end: number; readonly group: string } | null {
  pattern.lastIndex = start;
  const match = pattern.exec(text);
  return match && { end: pattern.lastIndex, group: match[1] ?? '' };
}
