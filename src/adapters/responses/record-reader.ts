import type { z } from 'zod';
import type { Clock } from '../../shared/index.js';
import type { AdapterContext } from '../adapter.js';
import { isObject } from './is-object.js';
import { UnusableResponseError } from './parse-response.js';

/** Minimum interval between log lines with the same reason. */
const LOG_INTERVAL_MS = 60_000;

/** Location in a tool's result for log lines: the tool, and the path of the entry. */
export interface ResponseLocation {
  readonly tool: string;
  readonly path: string;
}

/**
 * Parses the entries of results one by one. Omits malformed fields, and entries that lack a required field. Counts every
 * omission and logs its reason from time to time, never its value.
 */
export class RecordReader {
  readonly #clock: Clock;
  readonly #logger: AdapterContext['logger'];
  readonly #serverId: string;
  readonly #maxEntries: number;
  readonly #loggedAtMs = new Map<string, number>();
  #rejectedCount = 0;
  #lastRejection: string | null = null;
  #omission: string | null = null;

  constructor(context: Pick<AdapterContext, 'serverId' | 'clock' | 'logger' | 'maxEntries'>) {
    this.#clock = context.clock;
    this.#logger = context.logger;
    this.#serverId = context.serverId;
    this.#maxEntries = context.maxEntries;
  }

  /** Number of omitted fields and entries. */
  get rejectedCount(): number {
    return this.#rejectedCount;
  }

  /** Last omission in the form `agent_list agents.status: Invalid input: …`. Null if there was none. */
  get lastRejection(): string | null {
    return this.#lastRejection;
  }

  /** Returns the entries of a list that are read: the first ones, up to the maximum number. Counts the others. */
  limit<T>(location: ResponseLocation, entries: readonly T[]): readonly T[] {
    const excess = entries.length - this.#maxEntries;
    if (excess <= 0) return entries;
    this.#rejectedCount += excess - 1;
    const reason = `More than ${this.#maxEntries} entries ("limits.maxAgentsPerServer")`;
    this.reject(location, reason);
    this.#omission ??= `${location.path}: ${reason}`;
    return entries.slice(0, this.#maxEntries);
  }

  /**
   * Parses a list of entries. If several entries have the same id, only the first one is kept.
   * @param idOf returns the id of a record
   * @throws UnusableResponseError if no entry is usable, because the response then has another shape
   */
  readAll<S extends z.ZodObject>(
    location: ResponseLocation,
    schema: S,
    entries: readonly unknown[],
    idOf: (record: z.output<S>) => string,
  ): z.output<S>[] {
    const limited = this.limit(location, entries);
    const records = new Map<string, z.output<S>>();
    for (const entry of limited) {
      const record = this.read(location, schema, entry);
      if (record === null) continue;
      const key = idOf(record);
      if (records.has(key)) this.reject(location, 'Duplicate id');
      else records.set(key, record);
    }
    if (limited.length > 0 && records.size === 0) {
      throw new UnusableResponseError(`None of the ${limited.length} entries is usable: ${this.#lastReason(location)}`);
    }
    this.recordOmission(location, limited.length - records.size, limited.length);
    return [...records.values()];
  }

  /** Records that a response was read only in part, after its entries were rejected. */
  recordOmission(location: ResponseLocation, omitted: number, total: number): void {
    if (omitted === 0) return;
    this.#omission ??= `Omitted ${omitted} of ${total} entries, most recently: ${this.#lastReason(location)}`;
  }

  /** Counts and logs a part of a response that is left out, which makes the response incomplete. */
  omit(location: ResponseLocation, reason: string): void {
    this.reject(location, reason);
    this.#omission ??= location.path === '' ? reason : `${location.path}: ${reason}`;
  }

  /** Returns why the last responses were read only in part, and forgets it. Null if they were read completely. */
  takeOmission(): string | null {
    const omission = this.#omission;
    this.#omission = null;
    return omission;
  }

  /** Parses an entry. Returns null if a required field is missing or malformed. */
  read<S extends z.ZodObject>(location: ResponseLocation, schema: S, entry: unknown): z.output<S> | null {
    const strict = schema.safeParse(entry);
    if (strict.success) return strict.data;
    const { issues } = strict.error;
    const badKeys = new Set(issues.map((issue) => issue.path[0]));
    const validFields = isObject(entry)
      ? Object.fromEntries(Object.entries(entry).filter(([key]) => !badKeys.has(key)))
      : {};
    const lenient = schema.safeParse(validFields);
    for (const issue of lenient.success ? issues : issues.slice(0, 1)) {
      this.reject(
        { tool: location.tool, path: [location.path, ...issue.path.map(formatPathPart)].join('.') },
        issue.message,
      );
    }
    return lenient.success ? lenient.data : null;
  }

  /** Returns path and reason of the last rejection in a response of a tool. */
  #lastReason({ tool }: ResponseLocation): string {
    return this.#lastRejection?.slice(tool.length + 1) ?? 'unknown reason';
  }

  /** Counts and logs an omission. */
  reject(location: ResponseLocation, reason: string): void {
    this.#rejectedCount += 1;
    this.#lastRejection = `${location.tool} ${location.path}: ${reason}`;
    const key = `${location.tool} ${location.path} ${reason}`;
    const nowMs = this.#clock.monotonic();
    const loggedAtMs = this.#loggedAtMs.get(key);
    if (loggedAtMs !== undefined && nowMs - loggedAtMs < LOG_INTERVAL_MS) return;
    this.#loggedAtMs.set(key, nowMs);
    this.#logger.warn(
      { serverId: this.#serverId, tool: location.tool, path: location.path, reason, rejected: this.#rejectedCount },
      'omitted malformed value',
    );
  }
}

/** Returns the length of the longest list in a result, at most two levels deep: an estimate of the time to read it. */
export function countEntries(value: unknown, depth = 2): number {
  if (typeof value !== 'object' || value === null) return 0;
  const parts: readonly unknown[] = Array.isArray(value) ? value : Object.values(value);
  const length = parts.length;
  return depth === 0 ? length : Math.max(length, ...parts.slice(0, 100).map((part) => countEntries(part, depth - 1)));
}

/** Formats a part of a path. Indexes become `*`, so that equal reasons of different entries are logged once. */
function formatPathPart(part: PropertyKey): string {
  return typeof part === 'number' ? '*' : String(part);
}
