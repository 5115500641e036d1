import { z } from 'zod';
import * as field from '../responses/value-schemas.js';
import { UnusableResponseError } from '../polled-tool.js';
import type { EntrySource, FieldSource, ValuePath } from '../server-mapping.js';
import { isObject, type RecordReader } from '../responses/record-reader.js';

/** One thing in an answer that becomes an agent or a swarm. */
interface Entry {
  /** Its key in a `map`. */
  readonly key: string | null;
  readonly value: unknown;
}

/** Servers number their agents as often as they name them. */
function asText(value: unknown): unknown {
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : value;
}

function asTexts(value: unknown): unknown {
  return Array.isArray(value) ? value.map(asText) : value;
}

/** Readers of the values that a mapping can point at. */
export const VALUE_SCHEMAS = {
  id: z.preprocess(asText, field.id),
  name: z.preprocess(asText, field.name),
  word: z.preprocess(asText, field.word),
  reference: z.preprocess(asText, field.reference),
  references: z.preprocess(asTexts, field.references),
  capabilities: z.preprocess(asTexts, field.capabilities),
  timestamp: field.timestamp,
  ratio: field.ratio,
  count: field.count,
  amount: field.amount,
};

type Source = EntrySource & { readonly fields: Readonly<Partial<Record<string, FieldSource>>> };
type Readers<F extends string> = Readonly<Record<F, z.ZodType>> & { readonly id: z.ZodType<string> };
type Read<R extends Readers<string>> = { readonly [F in keyof R]: z.output<R[F]> };

/** Reads the entries of one source's answers, so that what does not fit costs no more than itself. */
export class EntryReader<R extends Readers<string>> {
  readonly #source: Source;
  readonly #readers: R;
  readonly #records: RecordReader;
  /** Fields that no entry of the last answer had: told once. */
  readonly #absent = new Set<string>();

  constructor(source: Source, readers: R, records: RecordReader) {
    this.#source = source;
    this.#readers = readers;
    this.#records = records;
  }

  /** @throws AnswerError when the entries are not where the mapping says, or none of them has an id */
  read(answer: unknown): Read<R>[] {
    const entries = entriesOf(this.#source, answer);
    const found = new Map<string, Read<R>>();
    for (const entry of entries) {
      const record = this.#recordOf(entry);
      if (record === null) continue;
      if (found.has(record.id)) this.#reject('id', 'Duplicate id');
      else found.set(record.id, record);
    }
    if (entries.length > 0 && found.size === 0) {
      throw new UnusableResponseError(
        `None of the ${entries.length} entries has a usable id at ${this.#nameOf('id')} (${this.#source.place}.fields.id)`,
      );
    }
    this.#tellAbsent(entries);
    return [...found.values()];
  }

  /** @returns `null` when the entry has no id */
  #recordOf(entry: Entry): Read<R> | null {
    const record: Record<string, unknown> = {};
    for (const [name, reader] of Object.entries(this.#readers)) {
      const result = reader.safeParse(valueOf(this.#source.fields[name], entry));
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

  #tellAbsent(entries: readonly Entry[]): void {
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
    const where = [...(path.text === '' ? [] : [path.text]), '*'].join(' ');
    this.#records.reject({ tool, path: `${where} ${this.#nameOf(name)}` }, `${reason} (${place}.fields.${name})`);
  }

  #nameOf(name: string): string {
    const source = this.#source.fields[name];
    if (source === undefined || source.from === 'value') return name;
    return source.from === 'key' ? '$key' : JSON.stringify(source.path.text);
  }
}

/** What stands at a path; `undefined` when nothing does. */
export function valueAtPath(value: unknown, path: ValuePath): unknown {
  let found = value;
  for (const key of path.keys) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, key)) return undefined;
    found = Object.getOwnPropertyDescriptor(found, key)?.value;
  }
  return found;
}

function valueOf(source: FieldSource | undefined, entry: Entry): unknown {
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

const EXPECTED = { list: 'a list', map: 'an object of entries', one: 'an entry' } as const;

function entriesOf({ shape, path, place }: EntrySource, answer: unknown): Entry[] {
  const value = valueAtPath(answer, path);
  const isMissing = value === undefined;
  // Go writes an empty list as null.
  if (value === null && path.keys.length > 0) return [];
  if (shape === 'one' && !isMissing && value !== null) return [{ key: null, value }];
  if (shape === 'list' && Array.isArray(value)) return value.map((one: unknown) => ({ key: null, value: one }));
  if (shape === 'map' && isObject(value)) return Object.entries(value).map(([key, one]) => ({ key, value: one }));
  if (typeof answer === 'string' && path.keys.length > 0) {
    throw new UnusableResponseError(`The answer is text and no JSON, expected ${EXPECTED[shape]} (${place}.${shape})`);
  }
  const what = path.text === '' ? 'The answer' : `"${path.text}" of the answer`;
  const is = isMissing ? 'is missing' : `is ${kindOf(value)}`;
  throw new UnusableResponseError(`${what} ${is}, expected ${EXPECTED[shape]} (${place}.${shape})`);
}

function kindOf(value: unknown): string {
  if (value === null) return 'empty';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'an object';
  return typeof value === 'string' ? 'text' : `a ${typeof value}`;
}
