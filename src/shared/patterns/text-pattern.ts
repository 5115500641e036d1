import { RE2JS, type Matcher } from 're2js';

/** Longest pattern in characters. */
const MAX_PATTERN_LENGTH = 1_000;
/** Most instructions of a compiled pattern, with which the time for a text grows. */
const MAX_PROGRAM_SIZE = 250;
/** Longest text in UTF-16 units that is searched for entries. Less than the maximum of sanitized texts, so that a cut is noticed. */
export const MAX_TEXT_LENGTH = 65_000;
/** Longest match in UTF-16 units that is found for certain. */
const MAX_MATCH_LENGTH = 4_096;
/** Length of the part of a text that is searched in one step. */
const WINDOW_LENGTH = 2 * MAX_MATCH_LENGTH;

/** Thrown if a pattern cannot be used. */
export class PatternError extends Error {
  override readonly name = 'PatternError';
}

/**
 * Regular expression in the syntax of RE2, which takes linear time for any text. `^` and `$` match at the lines of a text.
 */
export class TextPattern {
  readonly #expression: RE2JS;
  readonly #groups: readonly string[];

  /** @throws PatternError if the pattern is malformed, too long or too large */
  constructor(pattern: string) {
    if (pattern.length > MAX_PATTERN_LENGTH)
      throw new PatternError(`expected a pattern of at most ${MAX_PATTERN_LENGTH} characters`);
    try {
      this.#expression = RE2JS.compile(pattern, RE2JS.MULTILINE);
    } catch (error) {
      const reason = error instanceof Error ? error.message.replace(/^error parsing regexp: /, '') : 'unknown reason';
      throw new PatternError(`expected a regular expression in the syntax of RE2: ${reason}`);
    }
    if (this.#expression.matcher('').programSize() > MAX_PROGRAM_SIZE)
      throw new PatternError('expected a pattern with fewer or smaller repetitions');
    this.#groups = Object.keys(this.#expression.namedGroups());
  }

  /** Names of the groups. */
  get groups(): readonly string[] {
    return this.#groups;
  }

  /** Returns whether a text contains a match. Searches its beginning only. */
  test(text: string): boolean {
    return this.#expression.matcher(text.slice(0, WINDOW_LENGTH)).find();
  }

  /** Returns the first group, or the whole match, of the first matches in a text. Searches its beginning only. */
  extract(text: string, maxMatches: number): readonly string[] {
    const matcher = this.#expression.matcher(text.slice(0, WINDOW_LENGTH));
    const group = matcher.groupCount() > 0 ? 1 : 0;
    const matches: string[] = [];
    while (matches.length < maxMatches && matcher.find()) {
      const match = matcher.group(group);
      if (match !== null && match !== '') matches.push(match);
    }
    return matches;
  }

  /**
   * Finds all matches in a text that are not empty, as objects of their named groups. Searches a part of the text in each step.
   * Groups without a match are omitted. Yields null after a step without a match.
   */
  *findAll(text: string): Generator<Readonly<Record<string, string>> | null, void> {
    let base = 0;
    let at = 0;
    while (at < text.length) {
      const matcher = this.#expression.matcher(text.slice(base, base + WINDOW_LENGTH));
      const isLast = base + WINDOW_LENGTH >= text.length;
      const end = isLast ? text.length : lineStart(text, base + MAX_MATCH_LENGTH, base + 1);
      while (at <= end && matcher.find(at - base)) {
        if (base + matcher.start() >= end && !isLast) break;
        const matchEnd = base + matcher.end();
        const isEmpty = matcher.end() === matcher.start();
        if (!isEmpty) yield this.#groupsOf(matcher);
        at = isEmpty ? matchEnd + 1 : matchEnd;
        if (at >= text.length) return;
      }
      if (isLast) return;
      at = Math.max(at, end);
      // Assertions see the character before the position.
      base = (at - end > MAX_MATCH_LENGTH ? at : end) - 1;
      yield null;
    }
  }

  #groupsOf(matcher: Matcher): Readonly<Record<string, string>> {
    const groups: Record<string, string> = {};
    for (const name of this.#groups) {
      const value = matcher.group(name);
      if (value !== null) groups[name] = value;
    }
    return groups;
  }
}

/** Returns the begin of the last line that begins between `min` and `max`. Returns `max` if none does. */
function lineStart(text: string, max: number, min: number): number {
  const start = text.lastIndexOf('\n', max - 1) + 1;
  return start > min ? start : max;
}

const compiled = new Map<string, TextPattern>();
/** Most compiled patterns that are kept. */
const MAX_COMPILED = 1_000;

/**
 * Returns a compiled pattern. Keeps patterns for reuse, because configurations contain their text only.
 * @throws PatternError if the pattern cannot be used
 */
export function compilePattern(pattern: string): TextPattern {
  const known = compiled.get(pattern);
  if (known !== undefined) return known;
  const expression = new TextPattern(pattern);
  if (compiled.size >= MAX_COMPILED) compiled.clear();
  compiled.set(pattern, expression);
  return expression;
}
