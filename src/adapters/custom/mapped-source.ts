import type { z } from 'zod';
import { forEachInTurns } from '../../shared/index.js';
import type { ToolFailure } from '../../model/index.js';
import type { AdapterContext } from '../adapter.js';
import { PolledTool, type PolledSource } from '../polled-tool.js';
import { UnusableResponseError } from '../responses/parse-response.js';
import type { RecordReader } from '../responses/record-reader.js';
import type { EntrySource, FieldSource } from '../server-mapping.js';
import { collectEntries, measure } from './collect-entries.js';
import { DetailRequests } from './detail-requests.js';
import { JoinTable } from './join-table.js';
import type { MappedAnswers } from './mapped-answers.js';
import { describeField, type Entry, resolveField } from './resolve-field.js';

type Source = EntrySource & { readonly fields: Readonly<Partial<Record<string, FieldSource>>> };
type Schemas = Readonly<Record<string, z.ZodType>>;
export type MappedRecord<S extends Schemas> = { readonly [F in keyof S]: z.output<S[F]> };

export interface MappedSourceOptions<S extends Schemas, T> {
  /** Schemas of the fields. */
  readonly schemas: S;
  /** Fields that an entry must have. */
  readonly required: readonly (keyof S & string)[];
  /** Fields that together identify an entry. @default the required ones */
  readonly identity?: readonly (keyof S & string)[];
  readonly isMain: boolean;
  /** Minimum interval between two requests in milliseconds. */
  readonly minIntervalMs: number;
  readonly convert: (record: MappedRecord<S>) => T;
}

/** Reads the entries of one source of a mapping. Omits malformed fields, and entries without a required field. */
export class MappedSource<S extends Schemas, T> {
  readonly source: Source;
  readonly tool: PolledTool<readonly T[]>;
  readonly #context: AdapterContext;
  readonly #answers: MappedAnswers;
  readonly #records: RecordReader;
  readonly #options: MappedSourceOptions<S, T>;
  readonly #joins: readonly JoinTable[];
  readonly #detail: DetailRequests | null;
  /** Values of the fields that are not mapped. */
  readonly #defaults: Readonly<Record<string, unknown>>;
  /** Fields that no entry of the last answer had. Each is reported once. */
  readonly #absent = new Set<string>();

  constructor(
    source: Source,
    context: AdapterContext,
    answers: MappedAnswers,
    records: RecordReader,
    options: MappedSourceOptions<S, T>,
  ) {
    this.source = source;
    this.#context = context;
    this.#answers = answers;
    this.#records = records;
    this.#options = options;
    this.#joins = (source.joins ?? []).map((join) => new JoinTable(join, context, answers, records));
    this.#detail = source.detail === undefined ? null : new DetailRequests(source.detail, context, answers);
    this.#defaults = Object.fromEntries(
      Object.entries(options.schemas)
        .filter(([name]) => !options.required.includes(name))
        .map(([name, schema]) => [name, schema.parse(undefined)]),
    );
    const { isMain, minIntervalMs } = options;
    this.tool = new PolledTool(context, {
      tool: source.tool,
      records,
      minIntervalMs,
      isMain,
      isOffered: () => answers.isOffered(source),
      load: (signal) => this.#load(signal),
    });
  }

  /** Requests of the source, with their problems. */
  get requests(): readonly Pick<PolledSource<unknown>, 'failure' | 'omission'>[] {
    return [this.tool, ...this.#joins.map(({ tool }) => tool), ...(this.#detail === null ? [] : [this.#detail])];
  }

  /** Returns a failure for each tool that the server does not offer. */
  get missingTools(): readonly ToolFailure[] {
    const { joins = [], detail } = this.source;
    const sources = [this.source, ...joins, ...(detail === undefined ? [] : [detail])];
    return sources
      .filter((source) => !this.#answers.isOffered(source))
      .map(({ tool, isResource, place }) => ({
        tool,
        message:
          isResource === true
            ? `The server offers no resources (${place}.resource)`
            : `The server offers no such tool (${place}.tool)`,
      }));
  }

  async #load(signal: AbortSignal): Promise<readonly T[]> {
    const deps = { answers: this.#answers, records: this.#records, context: this.#context };
    // The joined lists are read first, because they record their own omissions.
    for (const join of this.#joins) await join.refresh(signal);
    const entries = await collectEntries(this.source, deps, signal);
    return this.#readAll(await this.#withDetails(entries, signal));
  }

  async #withDetails(entries: readonly Entry[], signal: AbortSignal): Promise<readonly Entry[]> {
    const { detail } = this.source;
    if (this.#detail === null || detail === undefined || !this.#answers.isOffered(detail)) return entries;
    return this.#detail.addTo(entries, signal);
  }

  /** @throws UnusableResponseError if no entry has its required fields */
  async #readAll(entries: readonly Entry[]): Promise<readonly T[]> {
    const { tool, path, place } = this.source;
    const { required, identity = required, convert } = this.#options;
    const records = new Map<string, T>();
    const present = new Set<string>();
    await forEachInTurns(
      entries,
      (entry) => {
        const record = this.#read(withJoined(entry, this.#joins), present);
        if (record === null) return;
        const key = identity.map((name) => String(record[name])).join('\n');
        if (records.has(key)) this.#reject(required[0] ?? '', `Duplicate ${identity.join(' and ')}`);
        else records.set(key, convert(record));
      },
      (work) => measure(this.#context, work),
    );
    if (entries.length > 0 && records.size === 0) {
      const names = required.map((name) => `${name} at ${describeField(this.source.fields[name], name)}`);
      const fields = required.length === 1 ? `fields.${required[0] ?? ''}` : 'fields';
      throw new UnusableResponseError(
        `None of the ${entries.length} entries has a usable ${names.join(' and ')} (${place}.${fields})`,
      );
    }
    this.#records.recordOmission({ tool, path: path.text }, entries.length - records.size, entries.length);
    if (entries.length > 0) this.#reportAbsentFields(present);
    return [...records.values()];
  }

  /** Reads an entry. Returns null if it lacks a required field. Adds the fields that it has to `present`. */
  #read(entry: Entry, present: Set<string>): MappedRecord<S> | null {
    const { schemas, required } = this.#options;
    const record: Record<string, unknown> = { ...this.#defaults };
    for (const [name, source] of Object.entries(this.source.fields)) {
      const schema = schemas[name];
      if (source === undefined || schema === undefined) continue;
      const value = resolveField(source, entry);
      if (value !== undefined) present.add(name);
      const result = schema.safeParse(value);
      if (result.success) {
        record[name] = result.data;
        continue;
      }
      this.#reject(name, result.error.issues[0]?.message ?? 'Invalid');
      if (required.includes(name)) return null;
    }
    // Each key was read by its own schema.
    return record as MappedRecord<S>;
  }

  /** Reports the fields whose path is in no entry. It may be a typing error or a missing value. */
  #reportAbsentFields(present: ReadonlySet<string>): void {
    for (const [name, source] of Object.entries(this.source.fields)) {
      if (source === undefined || source.from === 'key' || source.from === 'value') continue;
      if (present.has(name)) this.#absent.delete(name);
      else if (!this.#absent.has(name)) {
        this.#absent.add(name);
        this.#reject(name, 'In no entry');
      }
    }
  }

  #reject(name: string, reason: string): void {
    const { tool, path, place, fields } = this.source;
    const entryPath = [...(path.text === '' ? [] : [path.text]), '*'].join(' ');
    this.#records.reject(
      { tool, path: `${entryPath} ${describeField(fields[name], name)}` },
      `${reason} (${place}.fields.${name})`,
    );
  }
}

function withJoined(entry: Entry, joins: readonly JoinTable[]): Entry {
  if (joins.length === 0) return entry;
  const joined = new Map<string, Entry>();
  for (const join of joins) {
    const found = join.find(entry);
    if (found !== undefined) joined.set(join.source.name, found);
  }
  return { ...entry, joined };
}
