/** `, did you mean "x"?` when one of the words is near. */
export function didYouMean(word: string, words: readonly string[]): string {
  const near = words
    .map((known) => ({ known, distance: distance(word.toLowerCase(), known.toLowerCase()) }))
    .filter((one) => one.distance <= 2)
    .sort((a, b) => a.distance - b.distance)[0];
  return near === undefined ? '' : `, did you mean "${near.known}"?`;
}

/** Levenshtein's. Words of very different length are not compared: they are not near. */
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
