import { ToolRejectedError } from '../../mcp/index.js';
import type { AdapterContext, AnswerPart } from '../adapter.js';
import { reportedFailure } from '../responses/parse-response.js';
import type { RecordReader } from '../responses/record-reader.js';
import type { EmptyRule, ListSource, MappedRequest } from '../server-mapping.js';
import { type Entry, meets, partsOf, valueAtPath } from './resolve-field.js';
import { compilePattern } from '../../shared/patterns/index.js';

/**
 * Sends the requests of a mapping. Within one poll, sources with the same request share its answer.
 */
export class MappedAnswers {
  readonly #context: AdapterContext;
  readonly #records: RecordReader;
  readonly #answers = new Map<string, Promise<unknown>>();

  constructor(context: AdapterContext, records: RecordReader) {
    this.#context = context;
    this.#records = records;
  }

  /** Forgets the answers. Called before and after each poll. */
  clear(): void {
    this.#answers.clear();
  }

  /** Returns whether the server offers the tool or resources. */
  isOffered({ tool, isResource = false }: MappedRequest): boolean {
    return isResource ? this.#context.hasResources === true : this.#context.tools.has(tool);
  }

  /**
   * Sends a request once.
   * @throws ToolRejectedError if the server rejects it
   * @throws any other error if the server cannot be reached
   */
  async request(
    { tool, isResource = false }: Pick<MappedRequest, 'tool' | 'isResource'>,
    args: MappedRequest['arguments'],
    part: AnswerPart,
    signal: AbortSignal,
  ): Promise<unknown> {
    const { caller } = this.#context;
    return isResource ? caller.readResource(tool, signal, part) : caller.callTool(tool, args, signal, part);
  }

  /**
   * Returns all pages of the answer to the request of a source, or none if the server answers that there are no entries.
   * @throws the same errors as `request`
   */
  async *pages(source: ListSource, signal: AbortSignal): AsyncGenerator<unknown, void> {
    const { pages = null } = source;
    let args = source.arguments;
    const cursors = new Set<unknown>();
    for (let page = 1; ; page += 1) {
      const answer = await this.#answer(source, args, signal);
      if (answer === null) return;
      yield answer.value;
      if (pages === null) return;
      const cursor = findCursor(answer.value, pages.cursor);
      if (cursor === undefined) return;
      if (cursors.has(cursor)) {
        this.#omit(source, `The cursor of page ${page} repeats (${source.place}.pages.cursor)`);
        return;
      }
      if (page >= pages.max) {
        this.#omit(source, `More than ${pages.max} pages (${source.place}.pages.max)`);
        return;
      }
      cursors.add(cursor);
      args = { ...source.arguments, [pages.argument]: cursor };
    }
  }

  #omit({ tool, path }: ListSource, reason: string): void {
    this.#records.omit({ tool, path: path.text }, reason);
  }

  /** Returns null if the server answers that there are no entries. */
  async #answer(
    source: ListSource,
    args: MappedRequest['arguments'],
    signal: AbortSignal,
  ): Promise<{ readonly value: unknown } | null> {
    const part = source.shape === 'pattern' && source.path.keys.length === 0 ? 'text' : 'data';
    const key = JSON.stringify([source.isResource === true, source.tool, args, part]);
    let request = this.#answers.get(key);
    if (request === undefined) {
      request = this.request(source, args, part, signal);
      this.#answers.set(key, request);
    }
    try {
      const value = await request;
      return isEmpty(source.empty ?? [], value) ? null : { value };
    } catch (error) {
      if (error instanceof ToolRejectedError && (source.empty ?? []).some((rule) => matchesText(rule, error.message)))
        return null;
      throw error;
    }
  }
}

/** Returns the cursor of the next page. Undefined if there is no next page. */
function findCursor(answer: unknown, path: ListSource['path']): unknown {
  for (const part of partsOf(answer)) {
    const cursor = valueAtPath(part, path);
    if (typeof cursor === 'number' || (typeof cursor === 'string' && cursor !== '')) return cursor;
  }
  return undefined;
}

function isEmpty(rules: readonly EmptyRule[], answer: unknown): boolean {
  if (rules.length === 0) return false;
  const text = typeof answer === 'string' ? answer : reportedFailure(answer);
  const root: Entry = { key: null, value: answer, parent: null };
  return rules.some((rule) =>
    rule.kind === 'where'
      ? rule.where.every((condition) => meets(root, condition))
      : text !== null && matchesText(rule, text),
  );
}

function matchesText(rule: EmptyRule, text: string): boolean {
  switch (rule.kind) {
    case 'text':
      return text.toLowerCase().includes(rule.text.toLowerCase());
    case 'pattern':
      return compilePattern(rule.pattern).test(text);
    case 'where':
      return false;
  }
}
