import { z } from 'zod';
import * as field from '../responses/value-schemas.js';
import { UnusableResponseError } from '../responses/parse-response.js';
import type { EntrySource, FieldSource, ValuePath } from '../server-mapping.js';
import type { RecordReader } from '../responses/record-reader.js';
import { isObject } from '../responses/is-object.js';

/** Part of a response that becomes an agent or a swarm. */
interface Entry {
  /** Key of the entry in a `map`. Null for other shapes. */
  readonly key: string | null;
  readonly value: unknown;
}

/** Converts numbers and booleans to text, because many servers use numbers as ids. */
function toText(value: unknown): unknown {
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : value;
}

function toTexts(value: unknown): unknown {
  return Array.isArray(value) ? value.map(toText) : value;
}

/** Schemas of the values that a mapping can point at. */
export const VALUE_SCHEMAS = {
  id: z.preprocess(toText, field.id),
  name: z.preprocess(toText, field.name),
  word: z.preprocess(toText, field.word),
  reference: z.preprocess(toText, field.reference),
  references: z.preprocess(toTexts, field.references),
  capabilities: z.preprocess(toTexts, field.capabilities),
  timestamp: field.timestamp,
  ratio: field.ratio,
  count: field.count,
  amount: field.amount,
};

type Source = EntrySource & { readonly fields: Readonly<Partial<Record<string, FieldSource>>> };
type Readers<F extends string> = Readonly<Record<F, z.ZodType>> & { readonly id: z.ZodType<string> };
type Read<R extends Readers<string>> = { readonly [F in keyof R]: z.output<R[F]> };

/** Reads the entries of one source from responses. Omits malformed fields, and entries without an id. */
export class EntryReader<R extends Readers<string>> {
  readonly #source: Source;
  readonly #readers: R;
  readonly #records: RecordReader;
  /** Fields that no entry of the last response had. Each is reported once. */
  readonly #absent = new Set<string>();

  constructor(source: Source, readers: R, records: RecordReader) {
    this.#source = source;
    this.#readers = readers;
    this.#records = records;
  }

  /**
   * Reads all entries of a response.
   * @throws UnusableResponseError if the mapping does not match the response, or no entry has an id
   */
  read(response: unknown): Read<R>[] {
    const { tool, path } = this.#source;
    const location = { tool, path: path.text };
    const entries = this.#records.limit(location, findEntries(this.#source, response));
    const records = new Map<string, Read<R>>();
    for (const entry of entries) {
      const record = this.#readEntry(entry);
      if (record === null) continue;
      if (records.has(record.id)) this.#reject('id', 'Duplicate id');
      else records.set(record.id, record);
    }
    if (entries.length > 0 && records.size === 0) {
      throw new UnusableResponseError(
        `None of the ${entries.length} entries has a usable id at ${this.#describeSource('id')} (${this.#source.place}.fields.id)`,
      );
    }
    this.#records.recordOmission(location, entries.length - records.size, entries.length);
    this.#reportAbsentFields(entries);
    return [...records.values()];
  }

  /** Reads an entry. Returns null if it has no id. */
  #readEntry(entry: Entry): Read<R> | null {
    const record: Record<string, unknown> = {};
    for (const [name, reader] of Object.entries(this.#readers)) {
      const result = reader.safeParse(resolveValue(this.#source.fields[name], entry));
      if (result.success) {
        record[name] = result.data;
        continue;
      }
      this.#reject(name, result.error.issues[0]?.message ?? 'Invalid');
      if (name === 'id') return null;
      record[name] = reader.parse(undefined);
    }
    // Each key was read by its own reader.
    return record as Read<R>;
  }

  #reportAbsentFields(entries: readonly Entry[]): void {
    if (entries.length === 0) return;
    for (const [name, source] of Object.entries(this.#source.fields)) {
      if (source?.from !== 'path') continue;
      const isAbsent = entries.every((entry) => valueAtPath(entry.value, source.path) === undefined);
      if (!isAbsent) this.#absent.delete(name);
      else if (!this.#absent.has(name)) {
        this.#absent.add(name);
        this.#reject(name, 'In no entry');
      }
    }
  }

  #reject(name: string, reason: string): void {
    const { tool, path, place } = this.#source;
    const entryPath = [...(path.text === '' ? [] : [path.text]), '*'].join(' ');
    this.#records.reject(
      { tool, path: `${entryPath} ${this.#describeSource(name)}` },
      `${reason} (${place}.fields.${name})`,
    );
  }

  #describeSource(name: string): string {
    const source = this.#source.fields[name];
    if (source === undefined || source.from === 'value') return name;
    return source.from === 'key' ? '$key' : JSON.stringify(source.path.text);
  }
}

/** Returns the value at a path. Undefined if there is none. */
export function valueAtPath(value: unknown, path: ValuePath): unknown {
  let current = value;
  for (const key of path.keys) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, key)) return undefined;
    current = Object.getOwnPropertyDescriptor(current, key)?.value;
  }
  return current;
}

function resolveValue(source: FieldSource | undefined, entry: Entry): unknown {
  switch (source?.from) {
    case undefined:
      return undefined;
    case 'value':
      return source.value;
    case 'key':
      return entry.key;
    case 'path': {
      const value = valueAtPath(entry.value, source.path);
      return typeof value === 'number' ? value * source.scale : value;
    }
  }
}

/**
 * Returns the list at a path, or another value if there is no list. The parts of a response in several blocks are combined. A
 * response that is a list itself has one block per entry, and therefore is the entry if there is only one.
 */
function listAtPath(response: unknown, path: ValuePath): unknown {
  const value = valueAtPath(response, path);
  if (path.keys.length === 0) return isObject(value) ? unwrapList(value) : value;
  if (value !== undefined || !Array.isArray(response)) return value;
  const lists = response.map((part: unknown) => valueAtPath(part, path));
  if (!lists.some(Array.isArray)) return value;
  // A text is a part that could not be read, and is rejected as an entry.
  return lists.flatMap((list, index): readonly unknown[] => {
    if (Array.isArray(list)) return list; // narrows to a list of any
    return typeof response[index] === 'string' ? [response[index]] : [];
  });
}

/** Returns the list in the `result` of structured content, which must be an object, or else the object as the only entry. */
function unwrapList(value: Readonly<Record<string, unknown>>): unknown {
  const { result, ...rest } = value;
  return Array.isArray(result) && Object.keys(rest).length === 0 ? result : [value];
}

const EXPECTED = { list: 'a list', map: 'an object of entries', one: 'an entry' } as const;

function findEntries({ shape, path, place }: EntrySource, response: unknown): Entry[] {
  const value = shape === 'list' ? listAtPath(response, path) : valueAtPath(response, path);
  const isMissing = value === undefined;
  // Go serializes an empty list as null.
  if (value === null && path.keys.length > 0) return [];
  if (shape === 'one' && !isMissing && value !== null) return [{ key: null, value }];
  if (shape === 'list' && Array.isArray(value)) return value.map((entry: unknown) => ({ key: null, value: entry }));
  if (shape === 'map' && isObject(value)) return Object.entries(value).map(([key, entry]) => ({ key, value: entry }));
  if (typeof response === 'string' && path.keys.length > 0) {
    throw new UnusableResponseError(
      `The response is text instead of JSON, expected ${EXPECTED[shape]} (${place}.${shape})`,
    );
  }
  const label = path.text === '' ? 'The response' : `"${path.text}" of the response`;
  const problem = isMissing ? 'is missing' : `is ${describeType(value)}`;
  throw new UnusableResponseError(`${label} ${problem}, expected ${EXPECTED[shape]} (${place}.${shape})`);
}

function describeType(value: unknown): string {
  if (value === null) return 'empty';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'an object';
  return typeof value === 'string' ? 'text' : `a ${typeof value}`;
}
