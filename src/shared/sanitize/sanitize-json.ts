import { mayContainSecret, redact } from './redact.js';
import { classifyName, REDACTED, type SecretNameKind } from './secret-names.js';
import { stripControlCharacters, truncateText } from './printable.js';

export interface SanitizeLimits {
  /** Of one text, UTF-16 units; the rest is cut off. */
  readonly maxTextLength: number;
  /** Of a name in an object. */
  readonly maxNameLength: number;
  /** Of a list, and of an object, which may be a list by name; further ones are left out. */
  readonly maxEntries: number;
  /** Levels of lists and objects; what lies deeper is `null`. */
  readonly maxDepth: number;
  /** Values altogether; further entries are left out. */
  readonly maxValues: number;
}

export const DEFAULT_SANITIZE_LIMITS: SanitizeLimits = {
  maxTextLength: 65_536,
  maxNameLength: 256,
  maxEntries: 100_000,
  maxDepth: 32,
  maxValues: 1_000_000,
};

/** What was changed, counted. */
export interface SanitizeStats {
  /** Secrets: texts that held one, and values whose names are secret. */
  redacted: number;
  /** Texts that had control characters. */
  stripped: number;
  /** Texts, lists and objects that were too long, and values too deep. */
  cut: number;
  /** Names that lead to the prototype. */
  dropped: number;
}

export interface SanitizeResult {
  readonly value: unknown;
  /** `null`: none, and `value` is what was passed. */
  readonly changes: SanitizeStats | null;
}

/** Setting one of them on an object changes what all objects inherit, or how one is made. */
export const PROTOTYPE_KEYS: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/**
 * A JSON value without secrets, control characters and names that lead to the prototype, cut to the limits. What is
 * passed is not changed. Never throws.
 */
export function sanitizeJson(value: unknown, limits: SanitizeLimits = DEFAULT_SANITIZE_LIMITS): SanitizeResult {
  return new JsonSanitizer(limits, true).run(value);
}

/** The same of JSON that is still text; of text that is no JSON, the text. */
export function sanitizeJsonText(text: string, limits: SanitizeLimits = DEFAULT_SANITIZE_LIMITS): SanitizeResult {
  let value: unknown = text;
  try {
    value = JSON.parse(text);
  } catch {
    // Text it is.
  }
  if (typeof value === 'string') return new JsonSanitizer(limits, true).run(value);
  // Nearly all answers to polls end here.
  if (isPlain(text))
    return fits(value, limits) ? { value, changes: null } : new JsonSanitizer(limits, false).run(value);
  return new JsonSanitizer(limits, true).run(value);
}

/** What JSON.parse cannot make of text in which it does not stand, as long as nothing in it is escaped. */
const ODD_NAMES = /"(?:__proto__|constructor|prototype)"/;
const DELETE = '\u007f';
const ODD_CHARACTERS = /[\u0080-\u009f\u202a-\u202e\u2066-\u2069]/;

/** Whether none of its values and names can be secret or odd: one look at the whole is cheaper than one at each. */
function isPlain(json: string): boolean {
  if (json.includes('\\') || json.includes(DELETE)) return false;
  const isAscii = Buffer.byteLength(json) === json.length;
  return (isAscii || !ODD_CHARACTERS.test(json)) && !ODD_NAMES.test(json) && !mayContainSecret(json);
}

/** Whether nothing has to be cut. */
function fits(
  whole: unknown,
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
    // What JSON.parse makes inherits nothing that could be counted.
    for (const name in value) {
      count += 1;
      if (count > maxEntries || name.length > maxNameLength) return false;
      if (!visit((value as JsonObject)[name], depth + 1)) return false; // neither a list nor null
    }
    return true;
  };
  return visit(whole, 0) && values <= maxValues;
}

type JsonObject = Readonly<Record<string, unknown>>;

const COUNT = /^\d{1,15}$/;
/** What most names are, and many texts: a word too short for any secret that is known by what it looks like. */
const HARMLESS = /^[\w.-]{0,14}$/;

/** Goes over a value once, and copies only what it has to change. */
class JsonSanitizer {
  readonly #limits: SanitizeLimits;
  /** Whether names and texts are looked at, or only counted. */
  readonly #reads: boolean;
  readonly #changes: SanitizeStats = { redacted: 0, stripped: 0, cut: 0, dropped: 0 };
  #values = 0;

  constructor(limits: SanitizeLimits, reads: boolean) {
    this.#limits = limits;
    this.#reads = reads;
  }

  run(input: unknown): SanitizeResult {
    const value = this.#clean(input, 0, null);
    const { redacted, stripped, cut, dropped } = this.#changes;
    return { value, changes: redacted + stripped + cut + dropped === 0 ? null : this.#changes };
  }

  /** @param verdict on the name that the value stands under */
  #clean(value: unknown, depth: number, verdict: SecretNameKind): unknown {
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
    if (this.#reads && !HARMLESS.test(text)) {
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
      const clean = this.#clean(value, depth, verdict);
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
      const isDropped = this.#reads && PROTOTYPE_KEYS.has(cleanName);
      if (isDropped) this.#changes.dropped += 1;
      const clean = isDropped ? null : this.#clean(value, depth, this.#reads ? (classifyName(name) ?? verdict) : null);
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

/** Whether a value under a secret name is a secret. That there is none is no secret, and numbers of tokens are counts. */
function isSecret(value: unknown, verdict: Exclude<SecretNameKind, null>): boolean {
  if (value === null || typeof value === 'boolean' || value === '' || value === REDACTED) return false;
  return verdict === 'SECRET' || (typeof value === 'string' && !COUNT.test(value));
}

function firstOf(object: JsonObject, count: number): Record<string, unknown> {
  const first: Record<string, unknown> = {};
  for (const name of Object.keys(object).slice(0, count)) first[name] = object[name];
  return first;
}
