import { ToolCallTimeoutError } from '../../mcp/index.js';
import type { AdapterContext } from '../adapter.js';
import { PolledTool, TEN_HZ_INTERVAL_MS } from '../polled-tool.js';
import { UnusableResponseError } from '../responses/parse-response.js';
import type { RecordReader } from '../responses/record-reader.js';
import type { JoinSource } from '../server-mapping.js';
import { collectEntries } from './collect-entries.js';
import type { MappedAnswers } from './mapped-answers.js';
import { describeField, type Entry, resolveField } from './resolve-field.js';

/** List of a second request, whose entries are found by id. */
export class JoinTable {
  readonly source: JoinSource;
  readonly tool: PolledTool<ReadonlyMap<string, Entry>>;

  constructor(source: JoinSource, context: AdapterContext, answers: MappedAnswers, records: RecordReader) {
    this.source = source;
    this.tool = new PolledTool(context, {
      tool: source.tool,
      records,
      minIntervalMs: TEN_HZ_INTERVAL_MS,
      isOffered: () => answers.isOffered(source),
      load: async (signal) => toTable(source, await collectEntries(source, { answers, records, context }, signal)),
    });
  }

  /** Refreshes the list. If the server does not answer, the list is missing, and the entries that it belongs to stay. */
  async refresh(signal: AbortSignal): Promise<void> {
    try {
      await this.tool.refresh(signal);
    } catch (error) {
      if (signal.aborted || !(error instanceof ToolCallTimeoutError)) throw error;
    }
  }

  /** Returns the entry that belongs to an entry of the other list. */
  find(entry: Entry): Entry | undefined {
    const id = idOf(resolveField(this.source.to, entry));
    return id === null ? undefined : this.tool.current?.get(id);
  }
}

/** @throws UnusableResponseError if no entry has an id */
function toTable({ on, name, place }: JoinSource, entries: readonly Entry[]): ReadonlyMap<string, Entry> {
  const table = new Map<string, Entry>();
  for (const entry of entries) {
    const id = idOf(resolveField(on, entry));
    if (id !== null && !table.has(id)) table.set(id, entry);
  }
  if (entries.length > 0 && table.size === 0) {
    throw new UnusableResponseError(
      `None of the ${entries.length} entries of "${name}" has an id at ${describeField(on, 'on')} (${place}.on)`,
    );
  }
  return table;
}

function idOf(value: unknown): string | null {
  return typeof value === 'string' || typeof value === 'number' ? String(value).trim() : null;
}
