const TAIL = 6;
/** Number of characters up to which a name is not split, because every column has room for it. */
const WHOLE = 16;

/**
 * Shortens a name in the middle, because generated names differ at their end. Never cuts a character that consists of several
 * code points.
 *
 * @param max maximum number of characters
 */
export function shortenName(name: string, max: number): string {
  const { head, tail } = splitName(name, max);
  return `${head}${tail}`;
}

/** Name in two parts. A narrow column may cut the end of the head only. */
export interface SplitName {
  readonly head: string;
  readonly tail: string;
}

/**
 * Shortens a name, and splits it before its last characters.
 *
 * @param whole number of characters up to which a name is not split
 */
export function splitName(name: string, max: number, whole = WHOLE): SplitName {
  const characters = splitCharacters(name);
  if (characters.length <= Math.min(max, Math.max(whole, TAIL))) return { head: '', tail: name };
  const tail = characters.slice(-TAIL).join('');
  if (characters.length <= max) return { head: characters.slice(0, -TAIL).join(''), tail };
  return { head: `${characters.slice(0, max - TAIL - 1).join('')}…`, tail };
}

/** Adds the suffix that distinguishes a name from names that look like it. */
export function withSuffix(name: string, suffix: string): string {
  return suffix === '' ? name : `${name} ${suffix}`;
}

const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });

function splitCharacters(text: string): readonly string[] {
  return [...segmenter.segment(text)].map(({ segment }) => segment);
}

/** Returns a key for natural sorting: `coder-2` before `coder-10`. */
export function sortKey(text: string): string {
  return text.toLowerCase().replaceAll(/\d+/g, (digits) => digits.padStart(15, '0'));
}
