import type { z } from 'zod';
import type { RecordReader, ResponseLocation } from '../responses/record-reader.js';

/** Changes of a list since an earlier answer, or all of its entries. */
export interface EntryChanges {
  readonly entries: readonly unknown[];
  readonly removedIds: readonly string[];
  /** Whether the entries are all there are. */
  readonly isComplete: boolean;
}

/**
 * Applies the changes of a list to the entries of an earlier answer. Returns the same map if nothing has changed. A malformed
 * entry replaces nothing.
 */
export function applyEntryChanges<S extends z.ZodObject>(
  records: RecordReader,
  location: ResponseLocation,
  schema: S,
  previous: ReadonlyMap<string, z.output<S>>,
  { entries, removedIds, isComplete }: EntryChanges,
  idOf: (entry: z.output<S>) => string,
): ReadonlyMap<string, z.output<S>> {
  if (isComplete) return new Map(records.readAll(location, schema, entries, idOf).map((entry) => [idOf(entry), entry]));
  if (entries.length === 0 && removedIds.length === 0) return previous;
  const changed = new Map(previous);
  for (const id of removedIds) changed.delete(id);
  for (const entry of records.limit(location, entries)) {
    const record = records.read(location, schema, entry);
    if (record !== null) changed.set(idOf(record), record);
  }
  return changed;
}
