/** Maximum length of a word that is compared. The time of a comparison grows with the square of the length. */
const MAX_WORD_LENGTH = 64;

/** Returns `, did you mean "x"?` for the nearest of the words. Empty if none is near. */
export function didYouMean(word: string, words: readonly string[]): string {
  if (word.length > MAX_WORD_LENGTH) return '';
  const nearest = words
    .map((candidate) => ({ candidate, distance: distance(word.toLowerCase(), candidate.toLowerCase()) }))
    .filter((match) => match.distance <= 2)
    .sort((a, b) => a.distance - b.distance)[0];
  return nearest === undefined ? '' : `, did you mean "${nearest.candidate}"?`;
}

/** Returns the Levenshtein distance. Infinity for words whose lengths differ by more than 2. */
function distance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 2) return Infinity;
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const substitution = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, substitution));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
