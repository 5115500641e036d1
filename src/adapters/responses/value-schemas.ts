import { z } from 'zod';

/** Of ids, in UTF-16 units: a longer one is malformed, because a shortened id is another id. */
const MAX_ID_LENGTH = 256;
/** Of names; what is longer is cut. */
const MAX_NAME_LENGTH = 256;
/** Of types, statuses and capabilities; what is longer is cut. */
const MAX_WORD_LENGTH = 64;
const MAX_CAPABILITIES = 64;

/** Control characters, halves of surrogate pairs, and line or paragraph separators. */
const UNPRINTABLE = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** What nearly every text of a server is. */
const PLAIN = /^[!-~](?:[ -~]*[!-~])?$/;

/** One line of printable text, at most `maxLength` UTF-16 units. */
export function cleanText(text: string, maxLength: number): string {
  if (text.length <= maxLength && PLAIN.test(text)) return text;
  const clean = text.replace(UNPRINTABLE, '').trim();
  if (clean.length <= maxLength) return clean;
  // The cut may have halved a surrogate pair.
  return clean.slice(0, maxLength).replace(UNPRINTABLE, '').trimEnd();
}

/** What an entry cannot do without: a non-empty id. */
export const id = z.string().transform((text, context) => {
  const clean = cleanText(text, Infinity);
  if (clean !== '' && clean.length <= MAX_ID_LENGTH) return clean;
  context.issues.push({ code: 'custom', message: clean === '' ? 'Empty id' : 'Id too long', input: text });
  return z.NEVER;
});

/** All that follow are `null` where the server says nothing. */
function optional<T extends z.ZodType>(field: T) {
  return field.nullish().transform((value) => value ?? null);
}

export const name = optional(z.string().transform((text) => orNull(cleanText(text, MAX_NAME_LENGTH))));

/** A lower-case word of an open vocabulary: a type, a status, a pattern. */
export const word = optional(z.string().transform(normalizeWord));

/** An id that something else is known by; empty is as good as none. */
export const reference = optional(z.string().transform((text) => orNull(cleanText(text, MAX_ID_LENGTH))));

/** Elements that are not text are passed over. */
export const references = optional(
  z.array(z.unknown()).transform((list) => textsOf(list, (text) => orNull(cleanText(text, MAX_ID_LENGTH)))),
);

/** Elements that are not text are passed over, and so is what exceeds the number of capabilities that we keep. */
export const capabilities = z
  .array(z.unknown())
  .nullish()
  .transform((list) =>
    textsOf(list ?? [], (text) => orNull(cleanText(text, MAX_WORD_LENGTH))).slice(0, MAX_CAPABILITIES),
  );

/** 0..1. What lies outside is malformed: a percentage must not pass for a fraction. */
export const ratio = optional(z.number().min(0).max(1).transform(withoutNegativeZero));

export const count = optional(z.int().min(0).transform(withoutNegativeZero));

export const amount = optional(z.number().min(0).transform(withoutNegativeZero));

/** RFC 3339 or Rust text, or milliseconds since the epoch; RFC 3339 in UTC comes out. */
export const timestamp = optional(
  z.unknown().transform((value, context) => {
    const iso = parseTimestamp(value);
    if (iso === null) context.issues.push({ code: 'custom', message: 'Not a date', input: value });
    return iso;
  }),
);

export function normalizeWord(text: string): string | null {
  return orNull(cleanText(text, MAX_WORD_LENGTH).toLowerCase());
}

const DATE_TEXT = /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d(?::\d\d)?)(?:\.(\d+))? ?(?:(Z|UTC)|([+-]\d\d):?(\d\d))?$/i;
/** Fewer milliseconds would be a date before 1973: such a number counts seconds, or nothing of the kind. */
const MIN_EPOCH_MS = 1e11;

/** @returns `null` for what is no date */
export function parseTimestamp(value: unknown): string | null {
  if (typeof value === 'number') return value < MIN_EPOCH_MS ? null : isoOf(value);
  if (typeof value !== 'string' || value.length > MAX_WORD_LENGTH) return null;
  const match = DATE_TEXT.exec(value.trim());
  if (match === null) return null;
  const [, day = '', time = '', fractionDigits = '', , hours, minutes] = match;
  // A text without an offset is taken as UTC: the local time of this machine has nothing to do with it.
  const offset = hours === undefined || minutes === undefined ? 'Z' : `${hours}:${minutes}`;
  const seconds = time.length === 5 ? `${time}:00` : time;
  return isoOf(Date.parse(`${day}T${seconds}.${fractionDigits.slice(0, 3).padEnd(3, '0')}${offset}`));
}

/** Of the years that RFC 3339 can write. */
function isoOf(epochMs: number): string | null {
  const date = new Date(epochMs);
  if (Number.isNaN(date.getTime())) return null;
  const iso = date.toISOString();
  return iso.length === 24 ? iso : null;
}

/** JSON knows -0, which equals 0 and is yet another value to `Object.is`. */
function withoutNegativeZero(value: number): number {
  return value + 0;
}

function orNull(text: string): string | null {
  return text === '' ? null : text;
}

function textsOf(list: readonly unknown[], clean: (text: string) => string | null): string[] {
  const texts = new Set<string>();
  for (const element of list) {
    const text = typeof element === 'string' ? clean(element) : null;
    if (text !== null) texts.add(text);
  }
  return [...texts];
}
