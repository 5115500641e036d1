/** Object of parsed JSON whose members are unknown. */
export type JsonObject = Readonly<Record<string, unknown>>;

/**
 * Readers of members of parsed JSON. Records of transcripts have no fixed shape and arrive by the million, so that each
 * reducer reads the few members that it needs, and treats a member of another type as missing.
 */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Returns the member if it is an object. */
export function objectAt(value: unknown, key: string): JsonObject | null {
  const member = memberOf(value, key);
  return isJsonObject(member) ? member : null;
}

/** Returns the member if it is a text that is not empty. */
export function textAt(value: unknown, key: string): string | null {
  const member = memberOf(value, key);
  return typeof member === 'string' && member !== '' ? member : null;
}

/** Returns the member if it is a number from 0. */
export function amountAt(value: unknown, key: string): number | null {
  const member = memberOf(value, key);
  return typeof member === 'number' && Number.isFinite(member) && member >= 0 ? member : null;
}

/** Returns the member if it is a list. */
export function listAt(value: unknown, key: string): readonly unknown[] {
  const member = memberOf(value, key);
  // `isArray` narrows to a list of any.
  return Array.isArray(member) ? (member as readonly unknown[]) : [];
}

/** Returns whether the member is true. */
export function isTrueAt(value: unknown, key: string): boolean {
  return memberOf(value, key) === true;
}

function memberOf(value: unknown, key: string): unknown {
  return isJsonObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}
