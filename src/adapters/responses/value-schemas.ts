import { z } from 'zod';

/** Longest id in UTF-16 units. A longer id is malformed, because a shortened id would be another id. */
const MAX_ID_LENGTH = 256;
/** Longest name in UTF-16 units. Longer names are shortened. */
const MAX_NAME_LENGTH = 256;
/** Longest type, status or capability in UTF-16 units. Longer ones are shortened. */
const MAX_WORD_LENGTH = 64;
const MAX_CAPABILITIES = 64;

/** Control characters, unpaired surrogates, and line or paragraph separators. */
const UNPRINTABLE = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** Printable ASCII without surrounding spaces, which needs no cleaning. */
const PLAIN = /^[!-~](?:[ -~]*[!-~])?$/;

/** Number of UTF-16 units that are read beyond a limit, because unprintable characters and spaces do not count. */
const READ_MARGIN = 1_024;

/** Converts a text to one line of printable characters, at most `maxLength` UTF-16 units long. */
export function cleanText(text: string, maxLength: number): string {
  if (text.length <= maxLength && PLAIN.test(text)) return text;
  const printable = text
    .slice(0, maxLength + READ_MARGIN)
    .replace(UNPRINTABLE, '')
    .trim();
  if (printable.length <= maxLength) return printable;
  // Shortening may split a surrogate pair.
  return printable.slice(0, maxLength).replace(UNPRINTABLE, '').trimEnd();
}

/** Schema of a required, non-empty id. */
export const id = z.string().transform((text, context) => {
  const printable = cleanText(text, MAX_ID_LENGTH + 1);
  const isComplete = text.length <= MAX_ID_LENGTH + READ_MARGIN;
  if (isComplete && printable !== '' && printable.length <= MAX_ID_LENGTH) return printable;
  context.issues.push({ code: 'custom', message: printable === '' ? 'Empty id' : 'Id too long', input: text });
  return z.NEVER;
});

/** Makes a schema optional. Missing values become null. */
function optional<T extends z.ZodType>(field: T) {
  return field.nullish().transform((value) => value ?? null);
}

export const name = optional(z.string().transform((text) => orNull(cleanText(text, MAX_NAME_LENGTH))));

/** Schema of a word of an open vocabulary, such as a type or status, in lower case. */
export const word = optional(z.string().transform(normalizeWord));

/** Schema of an optional id. An empty id becomes null. */
export const reference = optional(z.string().transform((text) => orNull(cleanText(text, MAX_ID_LENGTH))));

/** Schema of a list of ids. Elements that are not text are omitted. */
export const references = optional(
  z.array(z.unknown()).transform((list) => collectTexts(list, (text) => orNull(cleanText(text, MAX_ID_LENGTH)))),
);

/** Schema of a list of capabilities. Elements that are not text or exceed the maximum number are omitted. */
export const capabilities = z
  .array(z.unknown())
  .nullish()
  .transform((list) =>
    collectTexts(list ?? [], (text) => orNull(cleanText(text, MAX_WORD_LENGTH))).slice(0, MAX_CAPABILITIES),
  );

/** Schema of a ratio from 0 to 1. Other values are malformed, because they may be percentages. */
export const ratio = optional(z.number().min(0).max(1).transform(withoutNegativeZero));

export const count = optional(z.int().min(0).transform(withoutNegativeZero));

export const amount = optional(z.number().min(0).transform(withoutNegativeZero));

/** Schema of a time as RFC 3339, Rust text or milliseconds since the epoch. The result is RFC 3339 in UTC. */
export const timestamp = optional(
  z.unknown().transform((value, context) => {
    const iso = parseTimestamp(value);
    if (iso === null) context.issues.push({ code: 'custom', message: 'Not a date', input: value });
    return iso;
  }),
);

/** Converts a word to lower case. Returns null if it is empty. */
export function normalizeWord(text: string): string | null {
  return orNull(cleanText(text, MAX_WORD_LENGTH).toLowerCase());
}

const DATE_TEXT = /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d(?::\d\d)?)(?:\.(\d+))? ?(?:(Z|UTC)|([+-]\d\d):?(\d\d))?$/i;
/** Smallest number that is read as milliseconds since the epoch. Smaller numbers are probably seconds. */
const MIN_EPOCH_MS = 1e11;

/** Parses a time. Returns null if it is not a time. */
export function parseTimestamp(value: unknown): string | null {
  if (typeof value === 'number') return value < MIN_EPOCH_MS ? null : formatTimestamp(value);
  if (typeof value !== 'string' || value.length > MAX_WORD_LENGTH) return null;
  const match = DATE_TEXT.exec(value.trim());
  if (match === null) return null;
  const [, day = '', time = '', fractionDigits = '', , hours, minutes] = match;
  // Without an offset, the time is read as UTC, because the server's time zone is unknown.
  const offset = hours === undefined || minutes === undefined ? 'Z' : `${hours}:${minutes}`;
  const seconds = time.length === 5 ? `${time}:00` : time;
  return formatTimestamp(Date.parse(`${day}T${seconds}.${fractionDigits.slice(0, 3).padEnd(3, '0')}${offset}`));
}

/** Formats a time as RFC 3339. Returns null for years outside 0000 to 9999. */
function formatTimestamp(epochMs: number): string | null {
  const date = new Date(epochMs);
  if (Number.isNaN(date.getTime())) return null;
  const iso = date.toISOString();
  return iso.length === 24 ? iso : null;
}

/** Replaces -0 with 0, because `Object.is` would report a change between them. */
function withoutNegativeZero(value: number): number {
  return value + 0;
}

function orNull(text: string): string | null {
  return text === '' ? null : text;
}

function collectTexts(list: readonly unknown[], convert: (text: string) => string | null): string[] {
  const texts = new Set<string>();
  for (const element of list) {
    const text = typeof element === 'string' ? convert(element) : null;
    if (text !== null) texts.add(text);
  }
  return [...texts];
}
