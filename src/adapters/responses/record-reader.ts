import type { z } from 'zod';
import type { Clock } from '../../shared/index.js';
import type { AdapterContext } from '../adapter.js';

/** At most one log line for each reason in this time. */
const LOG_INTERVAL_MS = 60_000;

/** A place in a tool's answer, for the log: the tool, and the names that lead to the entry. */
export interface ResponseLocation {
  readonly tool: string;
  readonly path: string;
}

/**
 * Reads entries of answers one by one, so that a malformed one costs only itself: a field that does not fit is left
 * out, an entry without what it cannot do without is. Each is counted, and said in the log now and then, without its value.
 */
export class RecordReader {
  readonly #clock: Clock;
  readonly #logger: AdapterContext['logger'];
  readonly #serverId: string;
  readonly #loggedAtMs = new Map<string, number>();
  #rejected = 0;
  #lastRejection: string | null = null;

  constructor(context: Pick<AdapterContext, 'serverId' | 'clock' | 'logger'>) {
    this.#clock = context.clock;
    this.#logger = context.logger;
    this.#serverId = context.serverId;
  }

  /** Fields and entries left out so far. */
  get rejectedCount(): number {
    return this.#rejected;
  }

  /** `agent_list agents.status: Invalid input: …` */
  get lastRejection(): string | null {
    return this.#lastRejection;
  }

  /** @param idOf two entries with one id are one too many: the first one stays */
  readAll<S extends z.ZodObject>(
    place: ResponseLocation,
    schema: S,
    entries: readonly unknown[],
    idOf: (record: z.output<S>) => string,
  ): z.output<S>[] {
    const records = new Map<string, z.output<S>>();
    for (const entry of entries) {
      const record = this.read(place, schema, entry);
      if (record === null) continue;
      const key = idOf(record);
      if (records.has(key)) this.reject(place, 'Duplicate id');
      else records.set(key, record);
    }
    return [...records.values()];
  }

  /** @returns `null` when the entry cannot be used at all */
  read<S extends z.ZodObject>(place: ResponseLocation, schema: S, entry: unknown): z.output<S> | null {
    const strict = schema.safeParse(entry);
    if (strict.success) return strict.data;
    const { issues } = strict.error;
    const badKeys = new Set(issues.map((issue) => issue.path[0]));
    const rest = isObject(entry) ? Object.fromEntries(Object.entries(entry).filter(([key]) => !badKeys.has(key))) : {};
    const lenient = schema.safeParse(rest);
    for (const issue of lenient.success ? issues : issues.slice(0, 1)) {
      this.reject({ tool: place.tool, path: [place.path, ...issue.path.map(pathPart)].join('.') }, issue.message);
    }
    return lenient.success ? lenient.data : null;
  }

  /** Counts one thing that is left out. */
  reject(place: ResponseLocation, reason: string): void {
    this.#rejected += 1;
    this.#lastRejection = `${place.tool} ${place.path}: ${reason}`;
    const key = `${place.tool} ${place.path} ${reason}`;
    const nowMs = this.#clock.monotonic();
    const loggedAtMs = this.#loggedAtMs.get(key);
    if (loggedAtMs !== undefined && nowMs - loggedAtMs < LOG_INTERVAL_MS) return;
    this.#loggedAtMs.set(key, nowMs);
    this.#logger.warn(
      { serverId: this.#serverId, tool: place.tool, path: place.path, reason, rejected: this.#rejected },
      'malformed value left out',
    );
  }
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Indexes say nothing, and would make a reason of their own of every entry. */
function pathPart(part: PropertyKey): string {
  return typeof part === 'number' ? '*' : String(part);
}
