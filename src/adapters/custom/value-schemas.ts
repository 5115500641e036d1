import { z } from 'zod';
import * as field from '../responses/value-schemas.js';
import { numberOf } from './resolve-field.js';

/** Converts numbers and booleans to text, because many servers use numbers as ids. */
function toText(value: unknown): unknown {
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : value;
}

/** Converts the elements of a list to texts. A text is a list with commas. */
function toTexts(value: unknown): unknown {
  if (typeof value === 'string') return value.split(',').map((text) => text.trim());
  return Array.isArray(value) ? value.map(toText) : toText(value);
}

/** Converts the number in a text. */
function toNumber(value: unknown): unknown {
  return typeof value === 'string' ? (numberOf(value) ?? value) : value;
}

/** Smallest number that is read as seconds since the epoch, in 1973. Smaller numbers are probably durations. */
const MIN_EPOCH_SECONDS = 1e8;
/** Smallest number that is read as milliseconds since the epoch. */
const MIN_EPOCH_MS = 1e11;

/** Date and time of RFC 2822, such as `Mon, 23 Nov 2026 15:02:56 +0000`. */
const MAIL_DATE =
  /^(?:[a-z]{3}, {0,2})?(\d{1,2} [a-z]{3} \d{4} \d\d:\d\d(?::\d\d)?)(?: (?:gmt|utc?|z|([+-]\d{4}|[ecmp][sd]t)))?(?: \([\w ]{1,20}\))?$/i;
/** Date and time as JavaScript prints it, such as `Mon Nov 23 2026 15:02:56 GMT+0000 (Coordinated Universal Time)`. */
const SCRIPT_DATE = /^[a-z]{3} ([a-z]{3} \d\d \d{4} \d\d:\d\d:\d\d) gmt([+-]\d{4})(?: \([\w ]{1,40}\))?$/i;
const DAY = /^\d{4}-\d\d-\d\d$/;

/** Converts seconds since the epoch, also as text, days, and the formats of RFC 2822 and JavaScript to a time that adapters read. */
function toTime(value: unknown): unknown {
  if (typeof value === 'number') return value >= MIN_EPOCH_SECONDS && value < MIN_EPOCH_MS ? value * 1_000 : value;
  if (typeof value !== 'string' || value.length > 128) return value;
  const text = value.trim();
  const number = numberOf(text);
  if (number !== null && !text.endsWith('%')) return toTime(number);
  if (DAY.test(text)) return `${text}T00:00:00Z`;
  const match = MAIL_DATE.exec(text) ?? SCRIPT_DATE.exec(text);
  if (match === null) return value;
  // Without an offset, the time is read as UTC, because the server's time zone is unknown.
  const [, time = '', offset = '+0000'] = match;
  const epochMs = Date.parse(`${time} ${offset}`);
  return Number.isNaN(epochMs) ? value : epochMs;
}

/** Schemas of the values that a mapping can point at. */
export const VALUE_SCHEMAS = {
  id: z.preprocess(toText, field.id),
  name: z.preprocess(toText, field.name),
  word: z.preprocess(toText, field.word),
  reference: z.preprocess(toText, field.reference),
  references: z.preprocess(toTexts, field.references),
  capabilities: z.preprocess(toTexts, field.capabilities),
  timestamp: z.preprocess(toTime, field.timestamp),
  ratio: z.preprocess(toNumber, field.ratio),
  count: z.preprocess(toNumber, field.count),
  amount: z.preprocess(toNumber, field.amount),
};
