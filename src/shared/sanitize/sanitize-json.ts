import { configuredSecrets } from './configured-secrets.js';
import { mayContainSecret, redact } from './redact.js';
import { classifyName, REDACTED, type SecretNameKind } from './secret-names.js';
import { stripControlCharacters, truncateText } from './printable.js';

/** Limits of a sanitized value. */
export interface SanitizeLimits {
  /** Maximum length of a text in UTF-16 units. Longer texts are truncated. */
  readonly maxTextLength: number;
  /** Maximum length of a name in an object, in UTF-16 units. */
  readonly maxNameLength: number;
  /** Maximum number of entries of a list or object. Further entries are removed. */
  readonly maxEntries: number;
  /** Maximum nesting depth. Deeper values become null. */
  readonly maxDepth: number;
  /** Maximum number of values in total. Further entries are removed. */
  readonly maxValues: number;
}

export const DEFAULT_SANITIZE_LIMITS: SanitizeLimits = {
  maxTextLength: 65_536,
  maxNameLength: 256,
  maxEntries: 100_000,
  maxDepth: 32,
  maxValues: 1_000_000,
};

/** Numbers of changes. */
export interface SanitizeStats {
  /** Number of texts with secrets, and of values with secret names. */
  redacted: number;
  /** Number of texts with control characters. */
  stripped: number;
  /** Number of truncated texts, lists and objects, and of values that were nested too deep. */
  cut: number;
  /** Number of removed names that access the prototype. */
  dropped: number;
}

export interface SanitizeResult {
  readonly value: unknown;
  /** Null if nothing changed. `value` is then the input itself. */
  readonly changes: SanitizeStats | null;
}

/** Names that access the prototype of an object. */
export const PROTOTYPE_KEYS: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/**
 * Removes secrets, control characters and names that access the prototype from a JSON value, and limits its size. Does not modify
 * the input. Never throws.
 */
export function sanitizeJson(value: unknown, limits: SanitizeLimits = DEFAULT_SANITIZE_LIMITS): SanitizeResult {
  return new JsonSanitizer(limits, true).run(value);
}

/** Parses and sanitizes JSON text. Sanitizes the text itself if it is not JSON. */
export function sanitizeJsonText(text: string, limits: SanitizeLimits = DEFAULT_SANITIZE_LIMITS): SanitizeResult {
  let value: unknown = text;
  try {
    value = JSON.parse(text);
  } catch {
    // The text is not JSON.
  }
  if (typeof value === 'string') return new JsonSanitizer(limits, true).run(value);
  // Nearly all responses to polls take this fast path.
  if (isPlain(text))
    return fits(value, limits) ? { value, changes: null } : new JsonSanitizer(limits, false).run(value);
  return new JsonSanitizer(limits, true).run(value);
}

/** Names that access the prototype. Parsed JSON contains them only if the text does, unless it has escape sequences. */
const ODD_NAMES = /"(?:__proto__|constructor|prototype)"/;
const DELETE = '\u007f';
const ODD_CHARACTERS = /[\u0080-\u009f\u202a-\u202e\u2066-\u2069]/;

/** Returns whether no value or name needs a change. One check of the text is cheaper than one per value. */
function isPlain(json: string): boolean {
  if (json.includes('\\') || json.includes(DELETE)) return false;
  const isAscii = Buffer.byteLength(json) === json.length;
  return (isAscii || !ODD_CHARACTERS.test(json)) && !ODD_NAMES.test(json) && !mayContainSecret(json);
}

/** Returns whether a value is within all limits. */
function fits(
  root: unknown,
  { maxTextLength, maxNameLength, maxEntries, maxDepth, maxValues }: SanitizeLimits,
): boolean {
  let values = 0;
  const visit = (value: unknown, depth: number): boolean => {
    values += 1;
    if (typeof value === 'string') return value.length <= maxTextLength;
    if (typeof value !== 'object' || value === null) return true;
    if (depth === maxDepth || values > maxValues) return false;
    if (Array.isArray(value)) {
      if (value.length > maxEntries) return false;
      for (const entry of value as readonly unknown[]) if (!visit(entry, depth + 1)) return false;
      return true;
    }
    let count = 0;
    // Results of JSON.parse inherit no enumerable names.
    for (const name in value) {
      count += 1;
      if (count > maxEntries || name.length > maxNameLength) return false;
      if (!visit((value as JsonObject)[name], depth + 1)) return false; // neither a list nor null
    }
    return true;
  };
  return visit(root, 0) && values <= maxValues;
}

type JsonObject = Readonly<Record<string, unknown>>;

const COUNT = /^\d{1,15}$/;
/** Word that is too short for any known secret format, but not for secrets of the configuration. Matches most names and many texts. */
const HARMLESS = /^[\w.-]{0,14}$/;

/** Visits a value once and copies only the parts that it changes. */
class JsonSanitizer {
  readonly #limits: SanitizeLimits;
  /** Whether names and texts are checked. If not, only the limits apply. */
  readonly #checksText: boolean;
  readonly #changes: SanitizeStats = { redacted: 0, stripped: 0, cut: 0, dropped: 0 };
  #values = 0;

  constructor(limits: SanitizeLimits, checksText: boolean) {
    this.#limits = limits;
    this.#checksText = checksText;
  }

  run(input: unknown): SanitizeResult {
    const value = this.#sanitize(input, 0, null);
    const { redacted, stripped, cut, dropped } = this.#changes;
    return { value, changes: redacted + stripped + cut + dropped === 0 ? null : this.#changes };
  }

  /** @param verdict classification of the name of the value */
  #sanitize(value: unknown, depth: number, verdict: SecretNameKind): unknown {
    this.#values += 1;
    if (verdict !== null && isSecret(value, verdict)) {
      this.#changes.redacted += 1;
      return REDACTED;
    }
    if (typeof value === 'string') return this.#text(value, this.#limits.maxTextLength);
    if (typeof value !== 'object' || value === null) return value;
    if (depth >= this.#limits.maxDepth) {
      this.#changes.cut += 1;
      return null;
    }
    if (Array.isArray(value)) return this.#list(value, depth + 1, verdict);
    return this.#object(value as JsonObject, depth + 1, verdict); // what is neither a list nor null is an object
  }

  #text(text: string, maxLength: number): string {
    let clean = text;
    if (this.#checksText && (!HARMLESS.test(text) || !configuredSecrets().isEmpty)) {
      const bare = stripControlCharacters(text);
      if (bare !== text) this.#changes.stripped += 1;
      clean = redact(bare);
      if (clean !== bare) this.#changes.redacted += 1;
    }
    if (clean.length <= maxLength) return clean;
    this.#changes.cut += 1;
    return truncateText(clean, maxLength);
  }

  #list(list: readonly unknown[], depth: number, verdict: SecretNameKind): readonly unknown[] {
    let copy: unknown[] | null = null;
    for (let index = 0; index < list.length; index += 1) {
      if (this.#isFull(index)) {
        this.#changes.cut += 1;
        return copy ?? list.slice(0, index);
      }
      const value = list[index];
      const clean = this.#sanitize(value, depth, verdict);
      if (copy === null && clean !== value) copy = list.slice(0, index);
      copy?.push(clean);
    }
    return copy ?? list;
  }

  #object(object: JsonObject, depth: number, verdict: SecretNameKind): JsonObject {
    let copy: Record<string, unknown> | null = null;
    let count = 0;
    for (const name of Object.keys(object)) {
      if (this.#isFull(count)) {
        this.#changes.cut += 1;
        return copy ?? firstOf(object, count);
      }
      const value = object[name];
      const cleanName = this.#text(name, this.#limits.maxNameLength);
      const isDropped = this.#checksText && PROTOTYPE_KEYS.has(cleanName);
      if (isDropped) this.#changes.dropped += 1;
      const clean = isDropped
        ? null
        : this.#sanitize(value, depth, this.#checksText ? (classifyName(name) ?? verdict) : null);
      if (copy === null && (isDropped || cleanName !== name || clean !== value)) copy = firstOf(object, count);
      if (copy !== null && !isDropped) copy[cleanName] = clean;
      count += 1;
    }
    return copy ?? object;
  }

  #isFull(count: number): boolean {
    return count >= this.#limits.maxEntries || this.#values >= this.#limits.maxValues;
  }
}

/** Returns whether a value with a secret name is a secret. Empty values and token counts are not. */
function isSecret(value: unknown, verdict: Exclude<SecretNameKind, null>): boolean {
  if (value === null || typeof value === 'boolean' || value === '' || value === REDACTED) return false;
  return verdict === 'SECRET' || (typeof value === 'string' && !COUNT.test(value));
}

function firstOf(object: JsonObject, count: number): Record<string, unknown> {
  const first: Record<string, unknown> = {};
  for (const name of Object.keys(object).slice(0, count)) first[name] = object[name];
  return first;
}
