/** Object of a parsed file. */
export type Table = Readonly<Record<string, unknown>>;

/** Returns whether a value is an object and not a list. Unlike a schema of zod, keeps every key, also `__proto__`. */
export function isTable(value: unknown): value is Table {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
