/**
 * Measures the size of a parsed value as JSON in bytes, without escapes.
 * @param max measuring stops above this size
 */
export function measureJsonBytes(value: unknown, max: number): number {
  let bytes = 0;
  const pending: unknown[] = [value];
  while (pending.length > 0 && bytes <= max) {
    const current = pending.pop();
    if (typeof current === 'string') bytes += Buffer.byteLength(current) + 2;
    else if (Array.isArray(current)) {
      bytes += 2 + current.length;
      // Spreading a long array would exceed the number of arguments.
      for (const entry of current as readonly unknown[]) pending.push(entry);
    } else if (typeof current === 'object' && current !== null) {
      bytes += 2;
      for (const [key, entry] of Object.entries(current)) {
        bytes += Buffer.byteLength(key) + 4;
        pending.push(entry);
      }
    } else bytes += 5; // typical size of a number, boolean or null
  }
  return bytes;
}

/**
 * Measures the nesting of arrays and objects. Other values have depth 0.
 * @param max measuring and recursion stop above this depth
 */
export function measureJsonDepth(value: unknown, max: number): number {
  if (typeof value !== 'object' || value === null) return 0;
  if (max <= 0) return 1;
  let deepest = 0;
  for (const entry of Object.values(value)) {
    deepest = Math.max(deepest, measureJsonDepth(entry, max - 1));
    if (deepest >= max) break;
  }
  return deepest + 1;
}
