const TAIL = 6;

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

/** Shortens a name, and splits it before its last characters. */
export function splitName(name: string, max: number): SplitName {
  const characters = splitCharacters(name);
  const tail = characters.slice(-TAIL).join('');
  if (characters.length <= TAIL) return { head: '', tail };
  if (characters.length <= max) return { head: characters.slice(0, -TAIL).join(''), tail };
  return { head: `${characters.slice(0, max - TAIL - 1).join('')}…`, tail };
}

const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });

function splitCharacters(text: string): readonly string[] {
  return [...segmenter.segment(text)].map(({ segment }) => segment);
}

/** Returns a key for natural sorting: `coder-2` before `coder-10`. */
export function sortKey(text: string): string {
  return text.toLowerCase().replaceAll(/\d+/g, (digits) => digits.padStart(15, '0'));
}
