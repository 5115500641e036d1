import stringWidth from 'string-width';

const GRAPHEMES = new Intl.Segmenter('en', { granularity: 'grapheme' });
/** Texts of characters that take one column and one UTF-16 unit each. */
const IS_SIMPLE = /^[ -~–…·▾▴└]*$/;

/** Characters whose width differs between terminals: joiners, variation selectors, skin tones and the keycap mark. */
const AMBIGUOUS = /[\p{Join_Control}\p{Variation_Selector}\p{Emoji_Modifier}]|\u20e3|[\u{e0020}-\u{e007f}]/gu;
/** Characters that control a terminal or the text direction, and halves of surrogate pairs. */
const CONTROLS = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]+/gu;
/** Marks beyond the fourth on one character, which would cover other lines. */
const EXCESSIVE_MARKS = /(\p{M}{4})\p{M}+/gu;

/** Converts outside text to one line that every terminal shows with the same width and that cannot control the terminal. */
export function toTerminalText(text: string): string {
  if (IS_SIMPLE.test(text)) return text;
  return text.normalize('NFC').replace(AMBIGUOUS, '').replace(CONTROLS, ' ').replace(EXCESSIVE_MARKS, '$1');
}

/** Returns the number of terminal columns that a text without control characters takes. */
export function widthOf(text: string): number {
  return IS_SIMPLE.test(text) ? text.length : stringWidth(text);
}

/** Truncates a text to a number of columns and marks the missing end. */
export function truncateEnd(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  return width < 1 ? '' : `${takeStart(text, width - 1)}…`;
}

/** Truncates a text to a number of columns in its middle, so that names with a common start or end stay different. */
export function truncateMiddle(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  if (width < 5) return truncateEnd(text, width);
  const endWidth = Math.floor((width - 1) / 2);
  return `${takeStart(text, width - 1 - endWidth)}…${takeEnd(text, endWidth)}`;
}

/** Pads a text with spaces to a number of columns. */
export function padTo(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  const space = ' '.repeat(Math.max(0, width - widthOf(text)));
  return align === 'left' ? text + space : space + text;
}

/** Breaks a text into lines of at most `width` columns, at spaces where possible. */
export function wrapText(text: string, width: number): string[] {
  const lines: string[] = [];
  let rest = text.trim();
  while (widthOf(rest) > width) {
    const start = takeStart(rest, Math.max(1, width));
    // A character that is wider than the line would never fit.
    if (start === '') return [...lines, ''];
    const space = rest[start.length] === ' ' ? start.length : start.lastIndexOf(' ');
    const end = space > start.length / 2 ? space : start.length;
    lines.push(rest.slice(0, end).trimEnd());
    rest = rest.slice(end).trimStart();
  }
  return [...lines, rest];
}

/** Removes the last character as a user sees it. */
export function dropLastGrapheme(text: string): string {
  return text.slice(0, graphemesOf(text).at(-1)?.index ?? 0);
}

function takeStart(text: string, width: number): string {
  if (IS_SIMPLE.test(text)) return text.slice(0, width);
  let used = 0;
  for (const { segment, index } of GRAPHEMES.segment(text)) {
    used += stringWidth(segment);
    if (used > width) return text.slice(0, index);
  }
  return text;
}

function takeEnd(text: string, width: number): string {
  if (IS_SIMPLE.test(text)) return width === 0 ? '' : text.slice(-width);
  let used = 0;
  let start = text.length;
  for (const { segment, index } of graphemesOf(text).reverse()) {
    used += stringWidth(segment);
    if (used > width) break;
    start = index;
  }
  return text.slice(start);
}

function graphemesOf(text: string): Intl.SegmentData[] {
  return [...GRAPHEMES.segment(text)];
}
