import { forEachInTurns } from '../../shared/index.js';
import type { AdapterContext } from '../adapter.js';
import type { RecordReader } from '../responses/record-reader.js';
import type { ListSource } from '../server-mapping.js';
import { findEntries } from './find-entries.js';
import type { MappedAnswers } from './mapped-answers.js';
import { describeField, type Entry, isPresent, meets, resolveField } from './resolve-field.js';

export interface CollectDeps {
  readonly answers: MappedAnswers;
  readonly records: RecordReader;
  readonly context: AdapterContext;
}

/**
 * Requests the answers of a source and returns its entries that meet the conditions, in several turns of the event loop.
 * @throws UnusableResponseError if the mapping does not match an answer
 * @throws the errors of the requests
 */
export async function collectEntries(
  source: ListSource,
  { answers, records, context }: CollectDeps,
  signal: AbortSignal,
): Promise<readonly Entry[]> {
  const { tool, path, where = [] } = source;
  const location = { tool, path: path.text };
  const entries: Entry[] = [];
  let total = 0;
  /** Conditions whose value exists in no entry. */
  const absent = new Set(where.filter(({ values, isNegated }) => values !== null && !isNegated));
  const omit = (at: string, reason: string): void => {
    records.omit({ tool, path: at }, `${reason} (${source.place}.${source.shape})`);
  };
  for await (const answer of answers.pages(source, signal)) {
    await forEachInTurns(
      findEntries(source, answer, omit),
      (entry) => {
        if (entry === null) return;
        total += 1;
        for (const condition of absent) if (isPresent(resolveField(condition.field, entry))) absent.delete(condition);
        if (where.every((condition) => meets(entry, condition))) entries.push(entry);
      },
      (work) => measure(context, work),
    );
    signal.throwIfAborted();
    if (entries.length > context.maxEntries) break;
  }
  const [condition] = absent;
  if (total > 0 && condition !== undefined) {
    const label = describeField(condition.field, 'value');
    records.omit(location, `Omitted all ${total} entries, because none has ${label} (${source.place}.where)`);
  }
  return records.limit(location, entries);
}

/** Runs work whose duration counts towards the server's share of the event loop. */
export function measure<T>({ caller }: Pick<AdapterContext, 'caller'>, work: () => T): T {
  return caller.process === undefined ? work() : caller.process(work);
}
