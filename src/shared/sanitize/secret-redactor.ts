import { formsOf } from './secret-forms.js';
import { REDACTED } from './secret-names.js';

/** Minimum length of a secret in UTF-16 units. Shorter values occur in nearly every text. */
const MIN_SECRET_LENGTH = 4;
/** Minimum length of a secret that is found within a longer word. */
const MIN_EMBEDDED_LENGTH = 8;
/** Maximum length of one search pattern. Longer secrets are searched in pieces of this length. */
const MAX_PATTERN_LENGTH = 64;
/** Length of the pieces of secrets that are recognized next to a cut. */
const FRAGMENT_LENGTH = 5;
/** Ellipsis of a shortened text, with the quotes around it: V8 writes `..."text"...`. */
const ELLIPSIS = /["']?(?:\.{3,}|…+)["']?/g;
const WORD_CHARACTER = /\w/;

/** Half-open range of a text that is removed. */
interface Span {
  readonly start: number;
  end: number;
}

/**
 * Removes known secrets from texts, in every form of `formsOf`. Takes time proportional to the length of the text, nearly
 * independently of the number of secrets.
 */
export class SecretRedactor {
  readonly #forms: ReadonlySet<string>;
  readonly #search: PatternSearch | null;
  #fragments: FragmentIndex | null = null;

  /** @param secrets values to remove; those shorter than `MIN_SECRET_LENGTH` are ignored */
  constructor(secrets: Iterable<string>) {
    const isLongEnough = ({ length }: string): boolean => length >= MIN_SECRET_LENGTH;
    this.#forms = new Set(
      [...secrets].filter(isLongEnough).flatMap((secret) => [...formsOf(secret)].filter(isLongEnough)),
    );
    this.#search = this.#forms.size === 0 ? null : new PatternSearch(new Set([...this.#forms].flatMap(toPieces)));
  }

  /** Whether there is nothing to remove. */
  get isEmpty(): boolean {
    return this.#search === null;
  }

  /** Returns whether a text contains a secret. Ignores secrets that are cut off. */
  occursIn(text: string): boolean {
    return this.#search?.next(text, 0) != null;
  }

  /**
   * Replaces every secret. A secret that is cut off at an ellipsis is replaced from its first five characters on.
   * @param isCut whether the end of the text was removed, so that it may end within a secret
   */
  redact(text: string, isCut = false): string {
    if (this.#search === null) return text;
    const spans = [...this.#findSecrets(text, this.#search), ...this.#findFragments(text, isCut)];
    if (spans.length === 0) return text;
    spans.sort((a, b) => a.start - b.start);
    let clean = '';
    let copiedUntil = 0;
    for (const { start, end } of spans) {
      if (end <= copiedUntil) continue;
      // Spans that touch are parts of one secret.
      if (start > copiedUntil || copiedUntil === 0) clean += text.slice(copiedUntil, start) + REDACTED;
      copiedUntil = end;
    }
    return clean + text.slice(copiedUntil);
  }

  /** Finds all secrets. Secrets that overlap form one span. */
  #findSecrets(text: string, search: PatternSearch): Span[] {
    const spans: Span[] = [];
    for (let found = search.next(text, 0); found !== null; found = search.next(text, found.start + 1)) {
      const last = spans.at(-1);
      if (last !== undefined && found.start <= last.end) last.end = Math.max(last.end, found.end);
      else spans.push(found);
    }
    return spans;
  }

  /** Finds parts of secrets next to an ellipsis, and at the end of a text that was cut. */
  #findFragments(text: string, isCut: boolean): Span[] {
    const spans: Span[] = [];
    const add = (start: number, end: number): void => {
      if (start < end) spans.push({ start, end });
    };
    const hasEllipsis = text.includes('...') || text.includes('…');
    if (!isCut && !hasEllipsis) return spans;
    const fragments = (this.#fragments ??= new FragmentIndex(this.#forms));
    if (isCut) add(fragments.startBefore(text, text.length), text.length);
    if (!hasEllipsis) return spans;
    ELLIPSIS.lastIndex = 0;
    for (let match = ELLIPSIS.exec(text); match !== null; match = ELLIPSIS.exec(text)) {
      add(fragments.startBefore(text, match.index), match.index);
      add(ELLIPSIS.lastIndex, fragments.endAfter(text, ELLIPSIS.lastIndex));
    }
    return spans;
  }
}

/** Splits a long text into pieces that cover it. The last piece overlaps the one before it. */
function toPieces(text: string): string[] {
  if (text.length <= MAX_PATTERN_LENGTH) return [text];
  const pieces: string[] = [];
  for (let at = 0; at + MAX_PATTERN_LENGTH < text.length; at += MAX_PATTERN_LENGTH) {
    pieces.push(text.slice(at, at + MAX_PATTERN_LENGTH));
  }
  return [...pieces, text.slice(-MAX_PATTERN_LENGTH)];
}

/** Pieces of `FRAGMENT_LENGTH` characters that secrets consist of. */
class FragmentIndex {
  readonly #fragments = new Set<string>();
  /** Whether a fragment begins with a character, by its code. Rejects most texts without a look-up. */
  readonly #beginnings = new Uint8Array(65_536);

  constructor(forms: Iterable<string>) {
    for (const form of forms) {
      for (let at = 0; at + FRAGMENT_LENGTH <= form.length; at += 1) {
        this.#fragments.add(form.slice(at, at + FRAGMENT_LENGTH));
        this.#beginnings[form.charCodeAt(at)] = 1;
      }
    }
  }

  /** Returns where the part of a secret begins that ends at `end`. Returns `end` if there is none. */
  startBefore(text: string, end: number): number {
    let start = end - FRAGMENT_LENGTH;
    if (!this.#has(text, start)) return end;
    while (this.#has(text, start - 1)) start -= 1;
    return start;
  }

  /** Returns where the part of a secret ends that begins at `start`. Returns `start` if there is none. */
  endAfter(text: string, start: number): number {
    let at = start;
    while (this.#has(text, at)) at += 1;
    return at === start ? start : at + FRAGMENT_LENGTH - 1;
  }

  #has(text: string, start: number): boolean {
    // The code is NaN outside of the text, and so the entry is undefined.
    return (
      this.#beginnings[text.charCodeAt(start)] === 1 && this.#fragments.has(text.slice(start, start + FRAGMENT_LENGTH))
    );
  }
}

const HASH_SIZE = 65_536;

function hashPair(first: number, second: number): number {
  return ((first * 31) ^ (second * 257)) & (HASH_SIZE - 1);
}

/**
 * Search for many texts at once, by the algorithm of Wu and Manber: the pair of characters at the end of a window determines by
 * how much the window can move. A regular expression of all alternatives is twenty times slower with a hundred of them.
 */
class PatternSearch {
  /** Length of the window: that of the shortest pattern. */
  readonly #width: number;
  readonly #shifts: Uint8Array;
  /** Patterns by the hash of the last pair in the window, longest first. */
  readonly #candidates = new Map<number, string[]>();

  constructor(patterns: ReadonlySet<string>) {
    this.#width = Math.min(...[...patterns].map(({ length }) => length), MAX_PATTERN_LENGTH - 1);
    const last = this.#width - 1;
    this.#shifts = new Uint8Array(HASH_SIZE).fill(last);
    for (const pattern of [...patterns].sort((a, b) => b.length - a.length)) {
      for (let at = 1; at <= last; at += 1) {
        const hash = hashPair(pattern.charCodeAt(at - 1), pattern.charCodeAt(at));
        this.#shifts[hash] = Math.min(this.#shifts[hash] ?? last, last - at);
      }
      const hash = hashPair(pattern.charCodeAt(last - 1), pattern.charCodeAt(last));
      this.#candidates.set(hash, [...(this.#candidates.get(hash) ?? []), pattern]);
    }
  }

  /** Returns the first match at or after `from`, the longest of those that start there. Null if there is none. */
  next(text: string, from: number): Span | null {
    const width = this.#width;
    let at = from + width - 1;
    while (at < text.length) {
      const hash = hashPair(text.charCodeAt(at - 1), text.charCodeAt(at));
      const shift = this.#shifts[hash] ?? 0;
      if (shift > 0) {
        at += shift;
        continue;
      }
      const start = at - width + 1;
      for (const pattern of this.#candidates.get(hash) ?? []) {
        if (text.startsWith(pattern, start) && isDelimited(text, start, start + pattern.length)) {
          return { start, end: start + pattern.length };
        }
      }
      at += 1;
    }
    return null;
  }
}

/** Returns whether a match counts: short secrets only as a whole word, so that ordinary words stay readable. */
function isDelimited(text: string, start: number, end: number): boolean {
  if (end - start >= MIN_EMBEDDED_LENGTH) return true;
  return !WORD_CHARACTER.test(text[start - 1] ?? ' ') && !WORD_CHARACTER.test(text[end] ?? ' ');
}
