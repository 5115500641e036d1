import { type JsonMember, type JsonSliceHandler, JsonSlicer, MAX_DIRECT_BYTES, runInTurns } from '../json/index.js';
import { configuredSecrets } from './configured-secrets.js';
import { mayContainSecret, redact } from './redact.js';
import { classifyName, REDACTED, type SecretNameKind } from './secret-names.js';
import { READ_MARGIN, stripControlCharacters, truncateBeforeRedaction, truncateText } from './printable.js';

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
  maxEntries: 50_000,
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
  return new JsonSanitizer(limits).run(value);
}

/** Sanitizes a JSON value of any size like `sanitizeJson`, in several turns of the event loop. Does not change the order of values. */
export function sanitizeJsonInTurns(
  value: unknown,
  limits: SanitizeLimits = DEFAULT_SANITIZE_LIMITS,
): Promise<SanitizeResult> {
  return runInTurns(new JsonSanitizer(limits).runSteps(value));
}

/** Parses and sanitizes JSON text. Sanitizes the text itself if it is not JSON. */
export function sanitizeJsonText(text: string, limits: SanitizeLimits = DEFAULT_SANITIZE_LIMITS): SanitizeResult {
  const sanitizer = new JsonSanitizer(limits);
  try {
    return sanitizer.result(sanitizer.parse(text, 0, null));
  } catch {
    // The text is not JSON.
    return new JsonSanitizer(limits).run(text);
  }
}

/** Parses and sanitizes JSON text of any length like `sanitizeJsonText`, in several turns of the event loop. */
export async function sanitizeJsonTextInTurns(
  text: string,
  limits: SanitizeLimits = DEFAULT_SANITIZE_LIMITS,
): Promise<SanitizeResult> {
  if (text.length <= MAX_DIRECT_BYTES) return sanitizeJsonText(text, limits);
  const sanitizer = new JsonSanitizer(limits);
  try {
    return sanitizer.result(await runInTurns(new JsonSlicer(Buffer.from(text), sanitizer).parse(null)));
  } catch {
    // The text is not JSON.
    return new JsonSanitizer(limits).run(text);
  }
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

type JsonObject = Readonly<Record<string, unknown>>;

const COUNT = /^\d{1,15}$/;
/** Word that is too short for any known secret format, but not for secrets of the configuration. Matches most names and many texts. */
const HARMLESS = /^[\w.-]{0,14}$/;

/** Maximum weight of a value that is sanitized in one step. A value has the weight 1, and a text 1 for each 64 UTF-16 units. */
const MAX_STEP_WEIGHT = 1_024;

/** Visits a value once and copies only the parts that it changes. */
class JsonSanitizer implements JsonSliceHandler<SecretNameKind> {
  readonly #limits: SanitizeLimits;
  readonly #changes: SanitizeStats = { redacted: 0, stripped: 0, cut: 0, dropped: 0 };
  /** Whether names and texts are checked. If not, only the limits apply. */
  #checksText = true;
  #values = 0;

  constructor(limits: SanitizeLimits) {
    this.#limits = limits;
  }

  get maxEntries(): number {
    return this.#limits.maxEntries;
  }

  get maxDepth(): number {
    return this.#limits.maxDepth;
  }

  get maxTextLength(): number {
    return this.#limits.maxTextLength + READ_MARGIN + 1;
  }

  run(input: unknown): SanitizeResult {
    return this.result(this.#sanitize(input, 0, null));
  }

  *runSteps(input: unknown): Generator<void, SanitizeResult> {
    return this.result(yield* this.#steps(input, 0, null));
  }

  result(value: unknown): SanitizeResult {
    const { redacted, stripped, cut, dropped } = this.#changes;
    return { value, changes: redacted + stripped + cut + dropped === 0 ? null : this.#changes };
  }

  /**
   * Parses and sanitizes JSON text.
   * @throws SyntaxError if it is not JSON
   */
  parse(json: string, depth: number, verdict: SecretNameKind): unknown {
    const value: unknown = JSON.parse(json);
    // Nearly all responses to polls take this fast path. A text may be JSON itself, with escapes.
    if (verdict !== null || typeof value === 'string' || !isPlain(json)) return this.#sanitize(value, depth, verdict);
    if (this.#fits(value, depth)) return value;
    this.#checksText = false;
    const clean = this.#sanitize(value, depth, null);
    this.#checksText = true;
    return clean;
  }

  text(text: string, verdict: SecretNameKind): unknown {
    return this.#sanitize(text, 0, verdict);
  }

  member(name: string, verdict: SecretNameKind): JsonMember<SecretNameKind> {
    const cleanName = this.#name(name);
    if (cleanName === null) return { kind: 'OMIT' };
    const ownVerdict = classifyName(name) ?? verdict;
    if (ownVerdict !== 'SECRET') return { kind: 'READ', name: cleanName, context: ownVerdict };
    this.#changes.redacted += 1;
    return { kind: 'SKIP', name: cleanName, value: REDACTED };
  }

  onCut(): void {
    this.#changes.cut += 1;
  }

  /** Counts a value and returns whether it is within all limits. If it is not, nothing is counted. */
  #fits(root: unknown, rootDepth: number): boolean {
    const { maxTextLength, maxNameLength, maxEntries, maxDepth, maxValues } = this.#limits;
    let values = this.#values;
    const visit = (value: unknown, depth: number): boolean => {
      values += 1;
      if (typeof value === 'string') return value.length <= maxTextLength;
      if (typeof value !== 'object' || value === null) return true;
      if (depth >= maxDepth || values > maxValues) return false;
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
    if (!visit(root, rootDepth) || values > maxValues) return false;
    this.#values = values;
    return true;
  }

  /** Sanitizes a value of any size. Copies lists and objects that take several steps. */
  *#steps(value: unknown, depth: number, verdict: SecretNameKind): Generator<void, unknown> {
    const isLong =
      typeof value === 'object' &&
      value !== null &&
      depth < this.#limits.maxDepth &&
      verdict !== 'SECRET' &&
      remainingWeight(value, MAX_STEP_WEIGHT) < 0;
    if (!isLong) {
      yield;
      return this.#sanitize(value, depth, verdict);
    }
    this.#values += 1;
    return Array.isArray(value)
      ? yield* this.#listSteps(value, depth + 1, verdict)
      : yield* this.#objectSteps(value as JsonObject, depth + 1, verdict); // what is neither a list nor null is an object
  }

  *#listSteps(list: readonly unknown[], depth: number, verdict: SecretNameKind): Generator<void, readonly unknown[]> {
    const copy: unknown[] = [];
    for (const value of list) {
      if (this.#isFull(copy.length)) {
        this.#changes.cut += 1;
        break;
      }
      copy.push(yield* this.#steps(value, depth, verdict));
    }
    return copy;
  }

  *#objectSteps(object: JsonObject, depth: number, verdict: SecretNameKind): Generator<void, JsonObject> {
    const copy: Record<string, unknown> = {};
    let count = 0;
    // Listing the names of an object takes some time, and its weight has just been determined.
    yield;
    for (const name of Object.keys(object)) {
      if (this.#isFull(count)) {
        this.#changes.cut += 1;
        break;
      }
      const cleanName = this.#name(name);
      if (cleanName !== null) {
        copy[cleanName] = yield* this.#steps(object[name], depth, classifyName(name) ?? verdict);
      }
      count += 1;
    }
    return copy;
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
    const bounded = truncateBeforeRedaction(text, maxLength);
    let clean = bounded;
    if (this.#checksText && (!HARMLESS.test(bounded) || !configuredSecrets().isEmpty)) {
      const bare = stripControlCharacters(bounded);
      if (bare !== bounded) this.#changes.stripped += 1;
      clean = redact(bare, bounded.length < text.length);
      if (clean !== bare) this.#changes.redacted += 1;
    }
    if (bounded === text && clean.length <= maxLength) return clean;
    this.#changes.cut += 1;
    return truncateText(clean, maxLength);
  }

  /** Sanitizes a name. Null if it accesses the prototype. */
  #name(name: string): string | null {
    const cleanName = this.#text(name, this.#limits.maxNameLength);
    if (!this.#checksText || !PROTOTYPE_KEYS.has(cleanName)) return cleanName;
    this.#changes.dropped += 1;
    return null;
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
      const cleanName = this.#name(name);
      const clean =
        cleanName === null
          ? null
          : this.#sanitize(value, depth, this.#checksText ? (classifyName(name) ?? verdict) : null);
      if (copy === null && (cleanName !== name || clean !== value)) copy = firstOf(object, count);
      if (copy !== null && cleanName !== null) copy[cleanName] = clean;
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

/** Subtracts the weight of a value. Negative if the value is heavier than `limit`, and then visits only a part of it. */
function remainingWeight(value: unknown, limit: number): number {
  let remaining = limit - 1;
  if (typeof value === 'string') return remaining - Math.floor(value.length / 64);
  if (typeof value !== 'object' || value === null) return remaining;
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length && remaining >= 0; index += 1)
      remaining = remainingWeight(value[index], remaining);
    return remaining;
  }
  for (const name in value) {
    if (remaining < 0) break;
    remaining -= Math.floor(name.length / 64);
    remaining = remainingWeight((value as JsonObject)[name], remaining); // neither a list nor null
  }
  return remaining;
}

function firstOf(object: JsonObject, count: number): Record<string, unknown> {
  const first: Record<string, unknown> = {};
  for (const name of Object.keys(object).slice(0, count)) first[name] = object[name];
  return first;
}
