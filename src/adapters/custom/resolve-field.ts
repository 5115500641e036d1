import { isObject } from '../responses/is-object.js';
import type { Condition, EntryPath, FieldSource, Template, ValuePath } from '../server-mapping.js';
import { compilePattern } from '../../shared/patterns/index.js';

/** Part of an answer that becomes an agent, a swarm or an edge, or that contains such parts. */
export interface Entry {
  /** Key of the entry in an object of entries. Null otherwise. */
  readonly key: string | null;
  readonly value: unknown;
  /** Enclosing entry, up to the whole answer. Null for the whole answer. */
  readonly parent: Entry | null;
  /** Answer to the request for the entry. */
  readonly detail?: unknown;
  /** Joined entries by the names of the joins. */
  readonly joined?: ReadonlyMap<string, Entry>;
}

/** Most values that a path with `*` collects. */
const MAX_COLLECTED = 1_000;

/** Returns an own property of a list or object. Undefined if there is none. */
function ownProperty(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
  return Object.getOwnPropertyDescriptor(value, key)?.value;
}

/** Returns the value at a path. With `*`, returns the list of all values. Undefined if there is none. */
export function valueAtPath(value: unknown, { keys }: Pick<ValuePath, 'keys'>): unknown {
  let current = value;
  for (const [index, key] of keys.entries()) {
    if (key === null) return collect(current, keys.slice(index + 1));
    current = ownProperty(current, key);
  }
  return current;
}

function collect(value: unknown, keys: ValuePath['keys']): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  const values: unknown[] = [];
  for (const item of Object.values(value).slice(0, MAX_COLLECTED) as unknown[]) {
    const found = valueAtPath(item, { keys });
    // The values of several lists are one list.
    if (keys.includes(null) && Array.isArray(found))
      values.push(...(found as unknown[])); // narrows to a list of any
    else if (found !== undefined && found !== null) values.push(found);
  }
  return values.slice(0, MAX_COLLECTED);
}

/** Returns the entry that a path begins at, or another value that it begins at. */
function baseOf(
  entry: Entry,
  { base, up = 0 }: Pick<EntryPath, 'base' | 'up'>,
): Pick<Entry, 'key' | 'value'> | undefined {
  if (base === 'detail') return { key: null, value: entry.detail };
  if (typeof base === 'object') return entry.joined?.get(base.join);
  let current: Entry | null = entry;
  if (base === 'root') {
    while (current.parent !== null) current = current.parent;
    return current;
  }
  for (let level = 0; level < up && current !== null; level += 1) current = current.parent;
  return current ?? undefined;
}

/** Returns the value of a field in an entry. Undefined if there is none. */
export function resolveField(source: FieldSource | undefined, entry: Entry): unknown {
  switch (source?.from) {
    case undefined:
      return undefined;
    case 'value':
      return source.value;
    case 'key':
      return baseOf(entry, source)?.key;
    case 'path': {
      const value = valueAtPath(baseOf(entry, source.path)?.value, source.path);
      const part = source.pattern === undefined ? value : extract(value, source.pattern, source.hasAllMatches === true);
      return source.scale === 1 ? part : scale(part, source.scale);
    }
    case 'template':
      return fillTemplate(source.template, entry);
    case 'first':
      for (const option of source.sources) {
        const value = resolveField(option, entry);
        if (value !== undefined && value !== null && value !== '') return value;
      }
      return undefined;
  }
}

/**
 * Returns a text with the values of its placeholders, or the value itself if the text is only a placeholder. Undefined if a
 * value is missing or is no text, number or boolean.
 */
export function fillTemplate({ parts }: Template, entry: Entry): unknown {
  const [only] = parts;
  if (parts.length === 1 && typeof only === 'object') return resolveField(only, entry);
  const texts = parts.map((part) => (typeof part === 'string' ? part : toText(resolveField(part, entry))));
  return texts.every((text) => text !== null) ? texts.join('') : undefined;
}

/** Returns the text of a text, number or boolean. Null for other values. */
function toText(value: unknown): string | null {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : null;
}

/** Returns the first match of a pattern in a text, or in the texts of a list, or all matches. Undefined if there is none. */
function extract(value: unknown, pattern: string, hasAllMatches: boolean): unknown {
  const expression = compilePattern(pattern);
  // `isArray` narrows to a list of any.
  const texts: readonly unknown[] = Array.isArray(value) ? value.slice(0, MAX_COLLECTED) : [value];
  const maxMatches = hasAllMatches ? MAX_COLLECTED : 1;
  const matches: string[] = [];
  for (const text of texts) {
    if (matches.length >= maxMatches) break;
    if (typeof text === 'string') matches.push(...expression.extract(text, maxMatches - matches.length));
  }
  return hasAllMatches && isPresent(value) ? matches : matches[0];
}

function scale(value: unknown, factor: number): unknown {
  const number = numberOf(value);
  return number === null ? value : number * factor;
}

/** Number in a text, with an optional percent sign. */
const NUMBER = /^[+-]?(?:\d{1,30}(?:\.\d{0,30})?|\.\d{1,30})(?:e[+-]?\d{1,3})?\s{0,4}(%?)$/i;

/** Returns a number, or the number in a text. A percentage becomes a ratio. Null if it is no number. */
export function numberOf(value: unknown): number | null {
  if (typeof value === 'number') return value;
  if (typeof value !== 'string' || value.length > 80) return null;
  const text = value.trim();
  const match = NUMBER.exec(text);
  if (match === null) return null;
  return match[1] === '%' ? Number.parseFloat(text) / 100 : Number.parseFloat(text);
}

/** Returns whether an entry meets a condition. One fitting element of a list is enough. */
export function meets(entry: Entry, { field, values, isNegated }: Condition): boolean {
  const value = resolveField(field, entry);
  return isNegated !== (values === null ? isPresent(value) : fits(value, values));
}

function fits(value: unknown, values: ReadonlySet<string>): boolean {
  if (Array.isArray(value)) return value.some((item) => fits(item, values));
  const text = toText(value);
  return text !== null && values.has(text);
}

export function isPresent(value: unknown): boolean {
  return value !== undefined && value !== null;
}

/** Returns what a field is called in messages. */
export function describeField(source: FieldSource | undefined, name: string): string {
  switch (source?.from) {
    case undefined:
    case 'value':
      return name;
    case 'key':
      return `${'$parent.'.repeat(source.up ?? 0)}$key`;
    case 'path':
      return JSON.stringify(source.path.text);
    case 'template':
      return JSON.stringify(source.template.text);
    case 'first':
      return source.sources.map((option) => describeField(option, name)).join(' or ');
  }
}

/** Returns the parts of an answer in several blocks. The answer itself if it is one block. */
export function partsOf(answer: unknown): readonly unknown[] {
  // `isArray` narrows to a list of any.
  return Array.isArray(answer) ? (answer as readonly unknown[]) : isObject(answer) ? [answer] : [];
}
