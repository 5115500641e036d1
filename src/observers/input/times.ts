const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z$/;

/** Returns a time as RFC 3339 in UTC with milliseconds. Null if the value is not such a time. */
export function parseIsoTime(value: unknown): string | null {
  if (typeof value !== 'string' || value.length > 40 || !ISO_TIME.test(value)) return null;
  return formatTime(Date.parse(value));
}

/** Formats milliseconds since the epoch as RFC 3339. Null for null and for times outside the years 0000 to 9999. */
export function formatTime(timeMs: number | null): string | null {
  if (timeMs === null) return null;
  const date = new Date(timeMs);
  const iso = Number.isNaN(date.getTime()) ? '' : date.toISOString();
  return iso.length === 24 ? iso : null;
}

/** Returns the later of two times. */
export function laterTime(first: string | null, second: string | null): string | null {
  if (first === null || second === null) return first ?? second;
  return first < second ? second : first;
}
