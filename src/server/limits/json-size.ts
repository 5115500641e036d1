/**
 * Bytes that a value takes as JSON, less what escaping adds. Values that were parsed have no cycles.
 * @param enough looking ends when it is more
 */
export function measureJsonBytes(value: unknown, enough: number): number {
  let bytes = 0;
  const waiting: unknown[] = [value];
  while (waiting.length > 0 && bytes <= enough) {
    const one = waiting.pop();
    if (typeof one === 'string') bytes += Buffer.byteLength(one) + 2;
    else if (Array.isArray(one)) {
      bytes += 2 + one.length;
      // One by one: a spread of a long list would be too many arguments.
      for (const entry of one as readonly unknown[]) waiting.push(entry);
    } else if (typeof one === 'object' && one !== null) {
      bytes += 2;
      for (const [key, entry] of Object.entries(one)) {
        bytes += Buffer.byteLength(key) + 4;
        waiting.push(entry);
      }
    } else bytes += 5; // a number, say
  }
  return bytes;
}

/**
 * Levels of lists and objects; 0 of anything else.
 * @param enough looking ends when it is more, so that it goes no deeper than that
 */
export function measureJsonDepth(value: unknown, enough: number): number {
  if (typeof value !== 'object' || value === null) return 0;
  if (enough <= 0) return 1;
  let deepest = 0;
  for (const entry of Object.values(value)) {
    deepest = Math.max(deepest, measureJsonDepth(entry, enough - 1));
    if (deepest >= enough) break;
  }
  return deepest + 1;
}
